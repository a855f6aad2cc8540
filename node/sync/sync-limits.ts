/** Every bound of what nodes say to each other about logs, with its unit and its reason. */
import { ENTRY_BYTES_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX } from '../../protocol/limits.ts';

/** Bytes of a request: an origin and a few numbers. */
export const REQUEST_BYTES_MAX = 512;

/** Bytes of the entries of one answer, its last entry not counted: some 5 ms of hashing, and a second at 8 Mbit/s. */
export const RANGE_BYTES_MAX = 1 << 20;
/** Entries of another branch of a trust log, from where it parts: they are taken in one write. */
export const BRANCH_BYTES_MAX = 32 << 20;
/** Branches that are sought at the same time: each may hold that much. */
export const SEEKS_AT_ONCE = 4;

/** Entries of one answer: the shortest statements have 64 bytes. */
export const RANGE_ENTRIES_MAX = 16_384;

/** Bytes of what stands for a note: two notes of a log that a peer could not tell apart would hide a fork. */
export const HEAD_DIGEST_BYTES = 32;

/** Logs whose heads are named at once: 256 regions with a trust log and three attestation logs each. */
export const HEADS_MAX = 1_024;

/** Bytes of a request of `sync`, which may name the most heads that are held. */
export const SYNC_REQUEST_BYTES_MAX = REQUEST_BYTES_MAX + HEADS_MAX * HEAD_DIGEST_BYTES;

/** Proofs of forks in one answer, and those kept of one log: one is enough to act on. */
export const FORKS_MAX = 8;

/** Bytes of the evidence in one answer, and of names of what is held: 64 proofs against each of 32 regions. */
export const EVIDENCE_GIVEN_BYTES_MAX = 1 << 20;
export const EVIDENCE_NAMES_BYTES_MAX = 32_768;
export const EVIDENCE_FILES_MAX = 64;

/** Bytes of any answer: the most heads with 16 cosignatures each, and more than the longest range. */
export const ANSWER_BYTES_MAX = 4 << 20;

/** Bytes of a message that is passed on to everybody. */
export const GOSSIP_BYTES_MAX = 1 << 16;

/** Bytes of one proof of a fork: two notes, their paths and roots. */
export const FORK_BYTES_MAX = 2 * (NOTE_BYTES_MAX + 32 * (PROOF_HASHES_MAX + 2));

/** Bytes fetched of one trust log before the key that signed its note is known. At first contact that is all of it. */
export const CATCH_UP_BYTES_MAX = 64 << 20;

/** What one answer may cost above `RANGE_BYTES_MAX`. */
export const LAST_ENTRY_BYTES_MAX = ENTRY_BYTES_MAX;

/** Milliseconds for which one peer may keep a node waiting before it asks another. Spec: THREATS T20. */
export const ANSWER_MS_MAX = 2_000;
/** Milliseconds for which the budget may hold back an answer: it has to be there before the asker gives up. */
export const ANSWER_HELD_MS_MAX = ANSWER_MS_MAX / 2;

/** Requests of one peer, of a region, of all invited peers, and of all, that are answered at the same time; more are told so. */
export const REQUESTS_AT_ONCE = {
  ofPeer: 8,
  ofRegion: 16,
  ofInvited: 32,
  ofAll: 64,
  keepsFree: true,
} as const;
/** Those that the budget holds back meanwhile. They take no place from the others, nor all that a node has for requests. */
export const REQUESTS_HELD = { ofPeer: 8, ofRegion: 8, ofInvited: 16, ofAll: 32, keepsFree: true } as const;

/** Milliseconds for which a log is not fetched from a peer that showed one of another root by its name, and how many of these are remembered. */
export const OTHER_ROOT_MS = 600_000;
export const OTHER_ROOTS_REMEMBERED = 1_024;

/**
 * What answers on `sync` cost, in hashes: a proof all those of one tile for each level of its tree, and any answer one for so many of its bytes. In a
 * second, and at once after a rest. A core makes some 10^6 a second: all peers together leave half of one to verdicts. Shared as `PeerBudget` says.
 */
export const ANSWERS_GIVEN = {
  ofRegion: { perS: 200_000, burst: 1_000_000 },
  ofInvited: { perS: 250_000, burst: 1_500_000 },
  ofAll: { perS: 500_000, burst: 3_000_000 },
} as const;
export const ANSWER_BYTES_OF_HASH = 64;

/** Logs that are fetched at the same time. */
export const PULLS_AT_ONCE = 4;

/** Faults within so many milliseconds after which a peer is left alone, and for how many: a change of versions is not for ever. */
export const FAULTS_MAX = 3;
export const FAULTS_WITHIN_MS = 600_000;
export const BAN_MS = 600_000;

/** Peers of which something is remembered; the one unheard of for longest is forgotten first. */
export const PEERS_MAX = 1_024;

/** Bytes of a chunk of a stream of entries; one that is longer goes alone. */
export const CHUNK_BYTES = 1 << 16;

/** Streams of entries that one peer, a region, all invited peers, and all read at the same time. */
export const LOG_READERS = { ofPeer: 2, ofRegion: 4, ofInvited: 8, ofAll: 16 } as const;

/**
 * Entries that are given to all peers of one region, to all invited peers, and to all: in a second, and at once after a rest. A core
 * hashes some 10^6 a second. Shared as `PeerBudget` says.
 */
export const ENTRIES_GIVEN = {
  ofRegion: { perS: 100_000, burst: 1_000_000 },
  ofInvited: { perS: 150_000, burst: 1_500_000 },
  ofAll: { perS: 300_000, burst: 3_000_000 },
} as const;
