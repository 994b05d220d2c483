-- What each row of `rollups` holds so far stays true: nothing is closed until the retention job closes it, function by function.
CREATE TABLE `closed` (
	`resolution` integer PRIMARY KEY NOT NULL,
	`until` integer NOT NULL,
	`next` integer NOT NULL,
	`upto` integer NOT NULL
) WITHOUT ROWID;
