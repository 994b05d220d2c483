CREATE TABLE `sweeps` (
	`id` integer PRIMARY KEY NOT NULL,
	`finished_at` integer NOT NULL,
	`moved` integer NOT NULL,
	`pruned_failures` integer NOT NULL,
	`complete` integer NOT NULL
);
--> statement-breakpoint
DROP INDEX `functions_identity`;--> statement-breakpoint
CREATE UNIQUE INDEX `functions_identity` ON `functions` (`service`,`name`,`module`);
--> statement-breakpoint
CREATE VIRTUAL TABLE `search_functions` USING fts5(
	service, module, name, content='functions', content_rowid='id', tokenize='trigram'
);
--> statement-breakpoint
CREATE VIRTUAL TABLE `search_failures` USING fts5(
	function_id UNINDEXED, service, module, function, name, message, tokenize='trigram'
);
--> statement-breakpoint
INSERT INTO search_functions (rowid, service, module, name) SELECT id, service, module, name FROM functions;
--> statement-breakpoint
INSERT INTO search_failures (function_id, service, module, function, name, message)
SELECT f.id, f.service, f.module, f.name, e.name, e.message FROM failures AS e JOIN functions AS f ON f.id = e.function_id;
--> statement-breakpoint
CREATE TRIGGER `index_new_function` AFTER INSERT ON `functions` BEGIN
	INSERT INTO search_functions (rowid, service, module, name) VALUES (new.id, new.service, new.module, new.name);
END;
--> statement-breakpoint
CREATE TRIGGER `index_new_failure` AFTER INSERT ON `failures` BEGIN
	INSERT INTO search_failures (function_id, service, module, function, name, message)
	SELECT f.id, f.service, f.module, f.name, new.name, new.message FROM functions AS f WHERE f.id = new.function_id;
END;
