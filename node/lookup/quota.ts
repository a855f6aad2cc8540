/** How many numbers may be looked up. */

export interface Quota {
  readonly perMinute: number;
  readonly perDay: number;
}

export interface LookupQuotas {
  /** Of each enrolled verifier. */
  readonly verifier: Quota;
  /** Of each peer region, for numbers of this one. */
  readonly region: Quota;
}

export const LOOKUP_QUOTAS: LookupQuotas = {
  verifier: { perMinute: 60, perDay: 2_000 },
  region: { perMinute: 1_200, perDay: 50_000 },
};
