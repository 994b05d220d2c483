CREATE TABLE `attention_memory` (
	`part` integer PRIMARY KEY NOT NULL,
	`epoch` text NOT NULL,
	`read_at` integer NOT NULL,
	`functions` text NOT NULL
);
