/** Every bound on codes of others, with its unit and its reason. SPEC.md 17 lists the same figures. */

/** Bytes of a code after inflating: the largest known has 9 KB, and a phone holds this at once. */
export const INFLATED_BYTES_MAX = 65_536;

/** Times its own length to which what a code carries may inflate: health records take up to six, and a text of some lines could keep a gate busy with more. */
export const INFLATION_MAX = 16;

/** Bytes of a COSE key id: hashes cut to 8 bytes are the rule, a whole SHA-256 the longest known. */
export const KEY_ID_BYTES_MAX = 32;

/** Characters of a name by which a JWS points to its key or issuer: an address is the longest. */
export const NAME_CHARS_MAX = 256;

/** Keys under one key id that are tried: collisions of eight bytes are rare, and each try costs a check. */
export const KEYS_PER_ID_MAX = 8;

/** Keys of all trust lists of a verifier together: ten times what the largest list of a federation of states has held. */
export const FOREIGN_KEYS_MAX = 32_768;

/** Seconds from issue to expiry, not reached: the longest known is five years. */
export const FOREIGN_LIFE_S_MAX = 10 * 365 * 86_400;

/** Entries of one kind in a health certificate: one is the rule, and each is hashed for revocation lists. */
export const HCERT_ENTRIES_MAX = 16;

/** Characters of a JWS: a card in a file, which no QR code has to hold. */
export const JWS_CHARS_MAX = 65_536;

/** Bytes of a card's payload once inflated: health records with room for texts. */
export const CARD_BYTES_MAX = 262_144;

/** QR codes of one card, and characters of all of them: the longest JWS in digits, and white space. */
export const CARD_PARTS_MAX = 64;
export const CARD_CHARS_MAX = 2 * JWS_CHARS_MAX + 1_024;

/** Revocation ids of one key: a list of 3 MB. */
export const CARD_REVOCATIONS_MAX = 131_072;

/** Characters of a seal: the largest QR code holds 2,953 bytes, and a file may space it. */
export const SEAL_CHARS_MAX = 8_192;

/** Bytes of a certificate: a seal has no room for one of 6,144, and one of an authority with a key of 4,096 bits has 2 KB. */
export const X509_BYTES_MAX = 8_192;

/** Of one certificate: parts of a name and attributes of a part, extensions, usages and types of documents. The most known are some ten. */
export const X509_ITEMS_MAX = 32;

/** Bytes of the serial number of a certificate (RFC 5280 4.1.2.2), and of what names a key in it: hashes of 64 are in circulation. */
export const X509_SERIAL_BYTES_MAX = 20;
export const X509_KEY_ID_BYTES_MAX = 64;

/** Bytes of a status list once inflated: 67 million codes of one bit. */
export const STATUS_LIST_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes or characters of a token that carries one: such a list with one code in a hundred revoked. */
export const STATUS_TOKEN_BYTES_MAX = 2 * 1024 * 1024;

/** Keys that one adapter announces: those of RSA with their names fill an entry of a log. More go into several adapters. */
export const ANNOUNCED_KEYS_MAX = 200;

/** Authorities in one adapter, which vouch for signers of seals: no country is known to have more than some ten, in force and before. */
export const ANNOUNCED_AUTHORITIES_MAX = 256;

/** Signers of seals in one adapter that no authority vouches for any more: each is a key that was stolen or given up. */
export const REFUSED_SIGNERS_MAX = 1_024;

/** Regions whose announced keys are tried on one code: each trial costs up to eight checks, of a local code up to eight by each of its profiles. */
export const ANNOUNCERS_MAX = 16;

/** Steps in which a region reads its facts from one code and decides on them: whatever it announces costs others some 40 ms. */
export const FOREIGN_STEPS_MAX = 20_000;

/** Bytes of a local code's payload and what stands around it once inflated: a QR code holds 2,953, deflated at most some times as much. */
export const LOCAL_BYTES_MAX = 16_384;

/** Members of objects, entries of maps and elements of lists in a local code's payload together. */
export const LOCAL_VALUES_MAX = 512;

/** Steps of a path into a payload, and characters of a name in it. */
export const LOCAL_PATH_STEPS_MAX = 8;
export const LOCAL_NAME_CHARS_MAX = 64;

/** Values of a status that a profile gives a colour, and fields that it hands to the rules. */
export const LOCAL_COLOURS_MAX = 32;
export const LOCAL_FIELDS_MAX = 32;

/** Characters of an identifier, and of the name of a person: a line on a screen. */
export const LOCAL_ID_CHARS_MAX = 128;
export const LOCAL_SUBJECT_CHARS_MAX = 128;
export const LOCAL_FIELD_CHARS_MAX = 256;

/** Profiles of one region by which one text is read: each costs a reading and up to eight checks. Each region has its own, so that none can crowd out another's. */
export const LOCAL_PROFILES_MAX = 4;

/** Rules of a country for EU certificates in one statement, and versions of them: no country is known to have more than some twenty in force. */
export const COUNTRY_RULES_MAX = 128;

/** Characters of the logic of one, as JSON: the longest known has some hundreds. */
export const COUNTRY_LOGIC_CHARS_MAX = 8_192;

/** Sets of values that such rules read, and values of one: there are some 250 codes of countries. */
export const VALUE_SETS_MAX = 32;
export const VALUES_MAX = 1_024;
