/** Every bound of the protocol, with its unit and its reason. SPEC.md 13 lists the same figures. */

/** Bytes of one entry of any log: what a 16-bit length in a C2SP entry bundle can say. */
export const ENTRY_BYTES_MAX = 65_535;

/** Levels of nesting in any decoded CBOR: rules nest deepest, and 16 of them is more than any profile uses. */
export const CBOR_DEPTH_MAX = 16;

/** Characters of a scanned text: what the largest QR code (version 40, level L) holds in alphanumeric mode. */
export const CODE_CHARS_MAX = 4_296;

/** Bytes of a code or presentation after base45: 4,296 characters hold 2,864. */
export const CODE_BYTES_MAX = 2_864;

/** Hashes in an inclusion or consistency proof: trees hold at most 2^53-1 leaves; a consistency proof has one more. */
export const PROOF_HASHES_MAX = 54;

/** Signature lines of a note that are looked at; more are refused. C2SP asks for at least 16; above 64 regions witness sets are 16. */
export const NOTE_SIGNATURES_MAX = 128;

/**
 * Lines of a note that a reader keeps and passes on: by keys of the log; and by keys of one witness, the one in force and the one before it. Whoever names
 * many keys fills no note with them, and keeps nobody else's line out.
 */
export const LOG_LINES_MAX = 16;
export const WITNESS_LINES_MAX = 2;

/** Bytes of a signed note: a checkpoint with the most signature lines, each up to 400 bytes. */
export const NOTE_BYTES_MAX = 65_536;

/** Characters of a verifier key: a name as long as a DNS name, its id and a key of 33 bytes in base64. */
export const VERIFIER_KEY_CHARS_MAX = 320;

/** Bytes of a tlog-policy: 256 witnesses, each in two groups, with room for URLs. */
export const POLICY_BYTES_MAX = 131_072;

/** Bytes of the opaque data that a tlog-proof may carry for its application. */
export const PROOF_EXTRA_BYTES_MAX = 4_096;

/** Bytes of a tlog-proof: a note, the most hashes of a path and the extra data, in base64. */
export const PROOF_BYTES_MAX = 75_000;

/** One above the largest index of any log: 10^12 attestations a month, and block numbers that fit in 24 bits. */
export const INDEX_BOUND = 2 ** 40;

/** Members of one coded set of indexes: 8 MiB once decoded, whatever few bytes announce them. More go into several sets. */
export const INDEX_SET_COUNT_MAX = 2 ** 20;

/** Seconds since a quorum vouched for a region's trust log: verifiers online hear from witnesses every 10 s, those offline load a snapshot a day. */
export const KNOWLEDGE_AGE_ONLINE_S_MAX = 600;
export const KNOWLEDGE_AGE_OFFLINE_S_MAX = 86_400;

/** Seconds since a region's own last signature: above the first it is shown, above the second (or the place's own) the verdict is open. */
export const ISSUER_SILENCE_SHOWN_S = 600;
export const ISSUER_SILENCE_S_MAX = 86_400;

/** Seconds that a time signed by others may be ahead of the verifier's clock: beyond it no honest clock goes astray unnoticed. */
export const CLOCK_AHEAD_S_MAX = 120;

/** Regions that may all witness one log; of more, `WITNESSES_CHOSEN` do, so that signature lines do not grow with the network. */
export const WITNESSES_ALL_MAX = 64;
export const WITNESSES_CHOSEN = 16;

/** Seconds from the end of the hour of issue to the latest expiry: no measure lasts longer. */
export const CODE_LIFE_S_MAX = 30 * 86_400;
/** Of a bridged code: so long a platform that is gone, or has lost sight of the original, is leant on at most. */
export const BRIDGED_LIFE_S_MAX = 86_400;
/** Hashes of the original of a bridged code: as many as the commonest of others' codes has. */
export const ORIGINAL_HASHES_MAX = 3;
/** Bytes by which the original of a bridged code names the key that signed it. */
export const FOREIGN_SIGNER_BYTES = 8;

/** Bytes of a snapshot: 256 regions at 256 KiB each, and what a phone can hold at once. */
export const SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024;

/** Parts of a snapshot: every ISO 3166-2 region of the largest federations that are likely. */
export const SNAPSHOT_PARTS_MAX = 256;

/** Entries and, apart from them, state items of all parts of a snapshot together: what the byte limit leaves at 256 bytes each. */
export const SNAPSHOT_ENTRIES_MAX = 262_144;
export const SNAPSHOT_ITEMS_MAX = 262_144;

/** Bytes of one state item: the longest entry, its index and their CBOR heads. */
export const STATE_ITEM_BYTES_MAX = ENTRY_BYTES_MAX + 16;

/** Bytes of a field's value in a commitment: the longest status has 150. */
export const FIELD_VALUE_BYTES_MAX = 256;

/** Signatures of one statement: the most that a change of roots can need, all old keys and all new ones. */
export const STATEMENT_SIGNATURES_MAX = 32;

/** Keys of a root: more people than a ceremony brings together. */
export const ROOT_KEYS_MAX = 16;

/** Keys that one statement admits: ninety days of daily keys in four roles, and some. */
export const KEYS_PER_STATEMENT_MAX = 400;

/** Seconds of a trust key's window: what a thief gains if nobody notices. */
export const KEY_WINDOW_S_MAX = 31 * 86_400;

/** Seconds from the signing of a key to its end: keys are signed up to 90 days ahead. */
export const KEY_UNTIL_AHEAD_S_MAX = 100 * 86_400;

/** Seconds from a statement about an attestation log to the log's month: as far ahead as keys. */
export const LOG_AHEAD_S_MAX = 100 * 86_400;

/** Seconds that keys and logs stay in a trust state after their end: the life of a code and a day. */
export const TRUST_KEPT_S = 31 * 86_400;

/** Cut-offs of one compromise: a key signs in one month, or two; replaced logs and the trust log come on top. */
export const COMPROMISE_CUT_OFFS_MAX = 64;

/** Indexes that trust-log keys may revoke in one hour, where the root set no other figure. */
export const REVOCATIONS_PER_HOUR = 50_000;

/** Non-empty revocation blocks of a region's logs together, by who signs for one more: 10^9 attestations, and as many again for the root alone. */
export const REVOCATION_BLOCKS_MAX = { root: 32_768, 'trust-log': 16_384 } as const;

/** Codes of others that one statement revokes, bytes of the hash that names each, and seconds that it stays: the longest known last ten years. */
export const FOREIGN_REVOCATIONS_MAX = 2_000;
export const FOREIGN_REVOCATION_BYTES = 16;
export const FOREIGN_REVOCATION_S_MAX = 3_660 * 86_400;

/** Bytes of what a region calls itself, and of each of a node's addresses, in UTF-8; addresses of one node. */
export const REGION_NAME_BYTES_MAX = 64;
export const NODE_ADDRESS_BYTES_MAX = 256;
export const NODE_ADDRESSES_MAX = 8;

/** Seconds by which a step may begin ahead of the verifier's clock: phones are seldom further off, and a relay gains no more. */
export const STEP_AHEAD_S_MAX = 5;

/** Bytes of a coded block of 2^16 indexes: gaps take at most 8/7 of a bit for each index, and the header at most 9 bytes. */
export const BLOCK_BYTES_MAX = 9_372;

/** Entries between the places that a fold can return to when statements are voided, and how many such places it keeps. */
export const FOLD_POSITION_SPACING = 1_024;
export const FOLD_POSITIONS_MAX = 64;

/** Bytes of the entries that fill slots of a trust state, by whose authority they have: some 12,000 keys, and 30 of the largest rules. */
/** Statements, and bytes of them, by which a root names a branch: all its roots, and some keys that it gave up. */
export const NAMING_STATEMENTS_MAX = 64;
export const NAMING_BYTES_MAX = 1 << 20;
export const SLOT_BYTES_MAX = { root: 4 * 1024 * 1024, 'trust-log': 2 * 1024 * 1024 } as const;

/** Times its index that the voidings of a log up to an entry may reach back together: sixteen keys from the beginning on, or more over less. */
export const VOIDING_REACH_MAX = 16;

/** Arrays and objects of a CertLogic expression within each other: the deepest rule known to be in use has 15. */
export const EXPRESSION_DEPTH_MAX = 32;

/** Operations, lists and literals of one expression: what 64 KiB of JSON can hold, and far more than a person reads. */
export const EXPRESSION_NODES_MAX = 4_096;

/** Steps of one evaluation: each part of the largest expression once, and lists of thousands. Less than a millisecond. */
export const EVALUATION_STEPS_MAX = 20_000;

/** Characters of an identifier that an expression takes apart at each step: certificates have at most 80. */
export const IDENTIFIER_CHARS_MAX = 1_024;

/** Bytes of evidence: two of the largest notes, and as much again for paths and for statements of some 1,500 keys. */
export const EVIDENCE_BYTES_MAX = 262_144;

/** Statements of a region in evidence: the roots that it ever had, and those that name the keys which signed. */
export const EVIDENCE_STATEMENTS_MAX = 64;

/** Arrays and objects of a condition in a rule set: what `CBOR_DEPTH_MAX` leaves below statement, data, list and rule. */
export const RULE_EXPRESSION_DEPTH_MAX = 12;

/** Rules of one list, and facts, roles and places of a rule set. */
export const RULES_PER_LIST_MAX = 128;

/** Characters of a text in a rule set that people are shown: a sentence or two. */
export const RULE_TEXT_CHARS_MAX = 256;

/** Days of a measure and of a green code: no code lives longer. */
export const MEASURE_DAYS_MAX = 30;

/** Conditions evaluated to try rules at a gate before they are logged: some hundred times what a profile needs. */
export const GATE_EVALUATIONS_MAX = 20_000;

/** Bytes of an encoded rule set: an entry of a log with room for the rest of the statement and its signatures. */
export const RULE_SET_BYTES_MAX = 60_000;

/** Seconds that a rule set is in force: two years. Rules that nobody renews end. */
export const RULE_SET_LIFE_S_MAX = 731 * 86_400;

/** Changes of a region's clocks that a rule set lists: two a year, and some. */
export const ZONE_OFFSETS_MAX = 16;

/** Bytes of what a colour rests on: facts of a rule set, of which most are days and flags. */
export const BASIS_BYTES_MAX = 4_096;

/** Codes that a tally counts at least, unless its first is a day old: by fewer, single people could be told. */
export const TALLY_CODES_MIN = 1_000;
export const TALLY_S_MAX = 86_400;
/** Seconds for which it may still be missing then: a node looks for what is due every ten minutes. */
export const TALLY_SLACK_S = 3_600;
/** Codes of a cell of a tally at least. */
export const TALLY_CELL_MIN = 10;
/** Cells of a tally: three colours of 32 rule sets. */
export const TALLY_CELLS_MAX = 96;

/** Days of a colour without a rule, people of one, and seconds that a proposal waits for whoever confirms it. */
export const OVERRIDE_DAYS_MAX = 14;
export const OVERRIDE_SUBJECTS_MAX = 2_000;
export const PROPOSAL_S_MAX = 86_400;

/** Operators that a disclosure names: those that there are, and those that there were. */
export const DISCLOSED_OPERATORS_MAX = 1_280;

/** Seconds from what rules were asked to the hour of issue at most: whoever decides asks about now. And beyond that hour. */
export const BASIS_AGE_S_MAX = 86_400;
export const BASIS_AHEAD_S_MAX = 3_600;

/** Leaves of one disclosure, and its bytes. */
export const DISCLOSURE_LEAVES_MAX = 16_384;
export const DISCLOSURE_BYTES_MAX = 83_886_080;

/** Bytes of a claim or permit of a writer with its key and signature. */
export const WRITER_WORD_BYTES_MAX = 1_024;

/** Keys of a region by which a witness remembers words of its writers: those of half a year, or seven that were stolen and one that was not. */
export const WRITER_KEYS_MAX = 8;

/** Keys that a root has given up, and keys that it has named, which a witness remembers beside the log. */
export const WRITER_ROOT_KEYS_MAX = 64;

/** Bytes of the statements by which a root gives keys up to witnesses before its log says so. */
export const WRITER_STATEMENTS_BYTES_MAX = 65_536;

/** Bytes of an invitation, or of what a region answers to one, with its signature: 8 addresses of the longest and room for the rest. */
export const JOINING_BYTES_MAX = 4_096;

/** Seconds that an invitation holds at most: whoever it was meant for has answered by then. */
export const INVITATION_S_MAX = 30 * 86_400;

/** Bytes of a number that is looked up: the longest link that such codes are known to be, and some. */
export const LOOKUP_NUMBER_BYTES_MAX = 512;

/** Bits of a locator that choose its bucket: a million buckets. */
export const LOOKUP_BITS_MAX = 20;

/** Entries of a bucket: with its path it is an answer of 64 KiB. */
export const LOOKUP_CAPACITY_MAX = 448;

/** Bytes of the signed head of a table. */
export const LOOKUP_HEAD_BYTES_MAX = 1_024;

/** Seconds for which a region signs one table of a day: two of them are evidence. */
export const LOOKUP_HEAD_S = 60;

/** Days whose keys one adapter announces: 90 ahead, today and yesterday. */
export const LOOKUP_DAYS_MAX = 92;

/** Characters by which numbers of a region are told from others. */
export const LOOKUP_PREFIX_CHARS_MAX = 64;

/** Regions that are asked for one number, where several have announced numbers that begin so. */
export const LOOKUP_ANNOUNCERS_MAX = 4;

/** Seconds after its day within which a key still answers, so that no look-up falls between two days. */
export const LOOKUP_OVERLAP_S = 3_600;

/** Seconds before its day from which a key answers: the clock of a verifier may be ahead. */
export const LOOKUP_EARLY_S = 300;
