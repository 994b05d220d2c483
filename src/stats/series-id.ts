/**
 * The identity of a series: the service, the module and the function under which calls are counted. Other files compare,
 * sort and index series with these functions and do not look at the three names themselves.
 */

export interface SeriesId {
  service: string;
  /** Empty if the sender named none. */
  module: string;
  function: string;
}

/**
 * A string that is different for each series. Names hold no control characters, so a line break can separate them.
 *
 * WARNING: the key of a function within its service is stored and sent. Another format makes every known function new.
 */
export function seriesKey(id: SeriesId): string {
  return `${id.service}\n${keyWithinService(id.module, id.function)}`;
}

/** A string that is different for each function of one service. */
export function keyWithinService(module: string, name: string): string {
  return `${module}\n${name}`;
}

export function sameSeries(a: SeriesId, b: SeriesId): boolean {
  return a.function === b.function && a.module === b.module && a.service === b.service;
}

/** Selects all series of a service, or one function of it: in one module or, without a module, in all. */
export interface SeriesSelector {
  service: string;
  module?: string | undefined;
  function?: string | undefined;
}

export function isSelected(selector: SeriesSelector, id: SeriesId): boolean {
  return (
    id.service === selector.service &&
    (selector.module === undefined || id.module === selector.module) &&
    (selector.function === undefined || id.function === selector.function)
  );
}

/** For `sort`: by service, then module, then function, each in the order of its UTF-16 code units. */
export function compareSeriesIds(a: SeriesId, b: SeriesId): number {
  return (
    compareText(a.service, b.service) ||
    compareText(a.module, b.module) ||
    compareText(a.function, b.function)
  );
}

/** The three names of an object that has other fields as well. */
export function idOf({ service, module, function: name }: SeriesId): SeriesId {
  return { service, module, function: name };
}

/**
 * A name as it is stored and compared: without half characters, without space around it, and in Unicode's composed form
 * (NFC). Two spellings of one name therefore count as one series.
 */
export function normaliseName(text: string): string {
  return text.toWellFormed().trim().normalize("NFC");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
