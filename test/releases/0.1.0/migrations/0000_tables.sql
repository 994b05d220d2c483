CREATE TABLE `epochs` (
	`epoch` text PRIMARY KEY NOT NULL,
	`floor` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `failures` (
	`function_id` integer NOT NULL,
	`name` text NOT NULL,
	`message` text NOT NULL,
	`calls` integer NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL,
	PRIMARY KEY(`function_id`, `name`, `message`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `flushes` (
	`epoch` text NOT NULL,
	`n` integer NOT NULL,
	`applied_at` integer NOT NULL,
	PRIMARY KEY(`epoch`, `n`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `functions` (
	`id` integer PRIMARY KEY NOT NULL,
	`service` text NOT NULL,
	`module` text NOT NULL,
	`name` text NOT NULL,
	`calls` integer NOT NULL,
	`errors` integer NOT NULL,
	`unmeasured` integer NOT NULL,
	`sum_us` integer NOT NULL,
	`min_ms` real,
	`max_ms` real,
	`histogram` text NOT NULL,
	`first_seen` integer NOT NULL,
	`last_seen` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `functions_identity` ON `functions` (`service`,`module`,`name`);--> statement-breakpoint
CREATE TABLE `rollups` (
	`function_id` integer NOT NULL,
	`width` integer NOT NULL,
	`start` integer NOT NULL,
	`calls` integer NOT NULL,
	`errors` integer NOT NULL,
	`unmeasured` integer NOT NULL,
	`sum_us` integer NOT NULL,
	`min_ms` real,
	`max_ms` real,
	`histogram` text NOT NULL,
	PRIMARY KEY(`function_id`, `width`, `start`)
) WITHOUT ROWID;--> statement-breakpoint
CREATE VIEW `metrics` AS
SELECT
	service,
	module,
	name AS function,
	calls,
	round(sum_us / 1000.0 / nullif(calls - unmeasured, 0), 3) AS average_ms,
	errors
FROM functions
ORDER BY calls DESC, service, module, name;
