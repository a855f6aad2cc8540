/** The faults of a simulation by name, and what each does. */

export const FAULT_KINDS = {
  loss: 'messages get lost',
  delay: 'messages come late and out of order',
  duplication: 'messages come twice',
  partition: 'the network falls into parts, and heals',
  'slow peer': 'all messages of one machine take long',
  crash: 'a process dies at a write, before or after it lands',
  kill: 'a process dies at any moment: what is on its way to the disk lands or not',
  'failed write': 'a write fails, and nobody knows whether it landed',
  'full disk': 'a disk is full for a while',
  'flipped bit': 'a bit of what lies on a disk flips, and is to be made good while the machine runs',
  'clock skew': 'the clock of a machine is off for a while',
  'clock step': 'the clock of a machine jumps, and is put right later',
  'restored backup': 'a disk goes back to what it was some minutes ago',
  'old disk':
    'a machine signs what nobody hears of, and is started on an old disk until the right one is back',
  failover:
    'the machine that writes for a region dies or is cut off, its standby is promoted, and it comes back',
  'key rotation': 'a region announces new keys, and signs with them from some minutes later on',
} as const;

/** What liars do; each counts once for each liar that does it. */
export const LIES = {
  equivocation: 'tells some another last entry of its own log, as well signed',
  forgery: 'flips bits of what it passes on, and cosignatures of others',
  withholding: 'keeps back half of what it should say',
  flood: 'says things again and again, and noise',
  'roll back': 'says what was true some time ago',
  'fast forward': 'signs trees of its own log that it does not have',
  reorder: 'gives entries that are asked for in another order, half of the time that there are two at least',
  oversize: 'gives far more entries than fit an answer, half of the time',
} as const;

/** What liars do together, by one plan; each counts once in a run. */
export const SCHEMES = {
  'shared split view': 'all of them tell some the same other story of one of them, and cosign it',
  'shared framing': 'all of them slander one honest region with the same proofs',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;
export type Lie = keyof typeof LIES;
export type Scheme = keyof typeof SCHEMES;
export type FaultCounters = Record<string, number>;
