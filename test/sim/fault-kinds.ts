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
  'clock skew': 'the clock of a machine is off for a while',
  'clock step': 'the clock of a machine jumps, and is put right later',
  'restored backup': 'a disk goes back to what it was some minutes ago',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;
export type FaultCounters = Record<string, number>;
