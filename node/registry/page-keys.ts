/** Names of the pages of the registry, and of what their colours rest on (registry.ts). */
import { type PrivateName } from './whereabouts.ts';

export const PAGES = 'registry/page/' satisfies PrivateName;
const BASES = 'registry/basis/' satisfies PrivateName;
/** Those of 2^40-1. */
export const INDEX_DIGITS = 13;

/** Of the keys of all pages of a log. */
export function rangeOf(log: string, index = 0): [from: string, to: string] {
  const from = pageKey(log, index);
  return [from, `${from.slice(0, -INDEX_DIGITS)}~`];
}

export function pageKey(log: string, index: number): string {
  return `${PAGES}${log}/${String(index).padStart(INDEX_DIGITS, '0')}`;
}

/** Beside the page of this key. */
export function basisKey(page: string): string {
  return BASES + page.slice(PAGES.length);
}
