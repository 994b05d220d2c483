CREATE TABLE `mutes` (
	`service` text NOT NULL,
	`name` text NOT NULL,
	`module` text NOT NULL,
	`kind` text NOT NULL,
	`until` integer NOT NULL,
	`reason` text NOT NULL,
	PRIMARY KEY(`service`, `name`, `module`, `kind`)
) WITHOUT ROWID;
