/** What one run may hold. Whatever goes beyond is rejected by a rule of its own, so it is a dead letter and not a surprise. */
export const runLimits = {
  /** The highest item index; a count may be one more. */
  itemIndexMax: 999_999,
  /** Ranges per event type: how scattered item indexes may be while there are gaps. */
  itemRangesMax: 500,
  /** Decided early events waiting with the run. They are decided again after every change, so they must be few. */
  parkedMax: 500,
  /** Semantic keys per event type. */
  keysMax: 10_000,
  /** Characters of one semantic key. */
  keyLengthMax: 200,
} as const;
