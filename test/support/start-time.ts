/** When the tests of region directories and commands begin: 2026-11-10T08:30:00Z. */
export const START_S = Date.UTC(2026, 10, 10, 8, 30) / 1_000;
