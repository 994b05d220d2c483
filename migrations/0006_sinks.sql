CREATE TABLE `feed` (
	`seq` integer PRIMARY KEY NOT NULL,
	`flush` text NOT NULL,
	`at` integer NOT NULL,
	`oldest` integer,
	`size` integer NOT NULL,
	`keys` text NOT NULL,
	`late` text,
	`deletion` text
);
--> statement-breakpoint
CREATE TABLE `sinks` (
	`name` text PRIMARY KEY NOT NULL,
	`base` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `swept` (
	`resolution` integer PRIMARY KEY NOT NULL,
	`before` integer NOT NULL
) WITHOUT ROWID;
