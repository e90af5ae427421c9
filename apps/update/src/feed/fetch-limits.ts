/** Injects the {@link FetchLimits} in force. */
export const FETCH_LIMITS = Symbol('fetch-limits');
