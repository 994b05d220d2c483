CREATE TABLE `deleted_functions` (
	`function_id` integer PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE `deletions` (
	`epoch` text NOT NULL,
	`n` integer NOT NULL,
	`service` text NOT NULL,
	`module` text,
	`name` text,
	PRIMARY KEY(`epoch`, `n`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER `unindex_deleted_function` AFTER DELETE ON `functions` BEGIN
	INSERT INTO search_functions (search_functions, rowid, service, module, name)
	VALUES ('delete', old.id, old.service, old.module, old.name);
END;
