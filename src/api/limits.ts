/** Limits of the JSON answers. */

export const limits = {
  /** Functions in one page of a list: the maximum, and the default if `limit` is left out. */
  functionsPerPage: 10_000,
  defaultFunctionsPerPage: 1_000,
  searchResults: 100,
  defaultSearchResults: 20,
  /** Points of one series: the maximum, and the maximum if `step` is left out. */
  seriesPoints: 1_500,
  defaultSeriesPoints: 300,
  sparklinePoints: 60,
  histogramBuckets: 400,
  defaultHistogramBuckets: 60,
} as const;
