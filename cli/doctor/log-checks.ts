/** The region's own logs: whether the node signs, whether this is the newest copy, and whether anything has forked. */
import { EXIT } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { type RunningStatus } from '../desk/node-status.ts';
import { leftText } from '../left-text.ts';
import { writerText } from '../writer-text.ts';
import { type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

export function checkWriting({ running, path, peers }: ReadablePatient): Finding[] {
  if (running === undefined) return [];
  const { writing } = running;
  const list = `entente peer list ${quoted(path)}`;
  switch (writing) {
    case 'writing':
      return [ok('it signs for the region'), ...fencing(running)];
    case 'standby':
      return [standby(running, path)];
    case 'checking':
    case 'clear':
      return [note('it is asking its peers whether this is the newest copy of the region')];
    case 'alone':
      return [
        must(`it does not sign: too few of ${peers.length} regions have answered`, list, EXIT.undetermined),
      ];
    case 'behind':
      return [
        must(
          'it does not sign: others have seen more of its logs than it holds, as after a restored backup; it fetches that from whoever has it. If nobody has, and no newer copy of it runs or can be put back, give up the checkpoint key by which it was signed: entente key compromise',
          list,
          EXIT.inconsistent,
        ),
      ];
    case 'contradicted':
      return [
        must(
          'it does not sign: somebody else signs with its keys, or did. Stop every other copy; else the key is stolen',
          `entente key list ${quoted(path)}`,
          EXIT.inconsistent,
        ),
      ];
    case 'astray':
      return [must('it does not sign: its clock is astray', 'sudo timedatectl set-ntp true')];
    default:
      return [
        must(`it does not sign: ${printable(writing)}; its log says why`, `entente status ${quoted(path)}`),
      ];
  }
}

/** Whether the loss of one more region would keep it from signing. */
function fencing({ writer, peers }: RunningStatus): Finding[] {
  if (writer === undefined) return [];
  const { witnesses, needed } = writer;
  const connected = new Set(peers.map(({ region }) => region)).size;
  const text = `witnesses fence it: ${needed} of ${witnesses} have to permit what it signs, ${connected} regions are connected`;
  return [connected > needed || connected >= witnesses ? ok(text) : note(text)];
}

function standby({ writer, reason = '' }: RunningStatus, path: string): Finding {
  if (writer === undefined) {
    return warn(
      `it is the standby, and knows of nobody who writes: ${printable(reason)}`,
      `entente promote ${quoted(path)}`,
    );
  }
  return ok(`it is the standby: ${writerText(writer)}`);
}

/** Own logs that lack entries, of which nothing is signed while all else is. */
export function checkShort({ running, path }: ReadablePatient): Finding[] {
  if (running?.writing !== 'writing') return [];
  const { behind = {}, sizes } = running;
  return Object.entries(behind).map(([origin, size]) =>
    warn(
      `it signs nothing of ${printable(origin)}, and all else: ${figure(size)} entries were signed, and ${figure(sizes[origin] ?? 0)} are here, as after a restored backup. It fetches them as soon as a peer that mirrors this region is connected, and then asks all peers anew. If nobody has them, it issues into the log of the next month`,
      `entente peer list ${quoted(path)}`,
    ),
  );
}

/** A backup that was put back shows by what peers have seen with our own signature. */
export function checkNewest({ running, peers, path, sizes }: ReadablePatient): Finding[] {
  if (running !== undefined || sizes === undefined) return [];
  const asked = peers.filter(({ connected }) => connected !== undefined);
  const findings = asked.flatMap(({ region, knowsMore }) => {
    if (knowsMore === undefined) return [];
    const { origin, size, held } = knowsMore;
    return [
      must(
        `${region} has seen ${figure(size)} entries of ${printable(origin)} with our signature, and the store has ${figure(held)}: this is an old copy`,
        `entente run ${quoted(path)}   # it fetches what a peer has of that before it signs; never run the newest copy beside it`,
        EXIT.inconsistent,
      ),
    ];
  });
  if (findings.length > 0) return findings;
  if (asked.length === 0) return [note('nobody could be asked whether there is a newer copy of this region')];
  return [ok(`${asked.map(({ region }) => region).join(', ')} know nothing of its logs that is not here`)];
}

/** A thief who has a checkpoint key has added to the trust log what no witness vouches for. */
export function checkVouchable({ running, path }: ReadablePatient): Finding[] {
  if (running?.falseStart === undefined) return [];
  return [
    must(
      `no witness vouches for its trust log (STATE_MISMATCH): the \`state\` statement at index ${figure(running.falseStart)} is not by its keys, or not what its log says, so that a checkpoint key is stolen. Give that up: the order names first what lies before that statement, and then all goes on`,
      `entente key list ${quoted(path)}   # and: entente key compromise ${quoted(path)} --key ID --cut-off trust=now`,
      EXIT.inconsistent,
    ),
  ];
}

/** What a thief of a key that was given up has had cosigned of the own logs. */
export function checkLeft({ running, path }: ReadablePatient): Finding[] {
  return (running?.left ?? []).map((one) =>
    note(
      `${leftText(one)}: it was used before, so look at what else lay beside it`,
      `entente key list ${quoted(path)}`,
    ),
  );
}

/** Witnesses that know more of an own attestation log, or another one, than is here. */
export function checkCosigning({ running, path }: ReadablePatient): Finding[] {
  const logs = running?.cosigning?.logs ?? [];
  return logs.flatMap(({ origin, size, unwilling }) =>
    Object.entries(unwilling).flatMap(([region, { why, size: said = 0 }]) => {
      if (why !== 'ahead' && why !== 'unproven') return [];
      const what =
        why === 'ahead'
          ? `says that it cosigned ${figure(said)} entries of ${printable(origin)}, and ${figure(size)} are here`
          : `does not take that ${printable(origin)} goes on from what it cosigned`;
      return [
        warn(
          `the witness of ${printable(region)} ${what}: a copy of this node, or a thief of its checkpoint key, may have shown it that. Ask its operator for what it has seen; what it shows to this node is looked at`,
          `entente evidence list ${quoted(path)}`,
        ),
      ];
    }),
  );
}

export function checkForks({ running, path }: ReadablePatient): Finding[] {
  if (running === undefined) return [];
  const { forked, disowned = [] } = running;
  const healed = disowned.map((origin) =>
    note(
      `there is proof of two histories of ${printable(origin)} by a key that its root has given up: a thief may have made it, and nothing has to be done`,
    ),
  );
  if (forked.length === 0)
    return [ok(healed.length === 0 ? 'no log has forked' : 'no other log has forked'), ...healed];
  const standing = forked.map((origin) => {
    const region = origin.split('.')[0] ?? '';
    const isOwn = region === running.home;
    return must(
      `there is proof of two histories of ${printable(origin)}: ${isOwn ? 'stop every copy but one' : 'call its people'}`,
      isOwn ? `entente key list ${quoted(path)}` : `entente suspend ${quoted(path)} ${region}`,
      EXIT.inconsistent,
    );
  });
  return [...standing, ...healed];
}
