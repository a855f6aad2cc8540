/**
 * All that honest and lying keys ever signed, as the signers saw it: the ground on which logs and verdicts are judged. It reads
 * checkpoints by C2SP's own words and shares no code with the nodes.
 */
import { decodeCbor } from '../../protocol/encoding/cbor.ts';
import { demand } from './invariant.ts';
import { type SigningRole } from './machine.ts';

export interface SignedCheckpoint {
  readonly origin: string;
  readonly size: number;
  /** Base64, as in the note. */
  readonly root: string;
}

/** The machine that signs. */
export interface Signatory {
  readonly region: string;
  readonly name: string;
}

interface Cosigned {
  /** By region, the newest time, in seconds. */
  readonly newest: Map<string, number>;
}

const ATTESTATION_LABEL = 'entente/attestation/v1\n';
/** Before the words of a region's writer, which are no checkpoints, and contradict nothing. */
const WRITER_LABEL = Buffer.from('entente/writer/v1\n');

export class SignedRecord {
  /** Regions whose machines are honest. */
  readonly #honest: ReadonlySet<string>;
  /** Regions of which no tree leaves a machine before witnesses have permitted it: its attestations are signed before. */
  readonly #fenced: ReadonlySet<string>;
  /** By origin and size: what the log's own key signed there. */
  readonly #roots = new Map<string, Map<number, string>>();
  /** By checkpoint: who cosigned it and when. */
  readonly #cosigned = new Map<string, Cosigned>();
  /** By the machine of a witness and origin: the size that was cosigned last. Its standby does not know what it cosigned. */
  readonly #witnessed = new Map<string, SignedCheckpoint>();
  /** By region, log and index: what was signed there. */
  readonly #attested = new Map<string, string>();
  readonly counters = { checkpoints: 0, cosignatures: 0, attestations: 0, statements: 0 };

  constructor(honest: readonly string[], fenced: readonly string[] = []) {
    this.#honest = new Set(honest);
    this.#fenced = new Set(fenced);
  }

  /** @throws {Violation} if an honest key contradicts itself. */
  take({ region, name }: Signatory, role: SigningRole, message: Uint8Array): void {
    switch (role) {
      case 'attest':
        return this.#takeAttestation(region, message);
      case 'checkpoint':
        if (WRITER_LABEL.equals(message.subarray(0, WRITER_LABEL.length))) return;
        return this.#takeCheckpoint(region, parseCheckpointText(Buffer.from(message).toString()));
      case 'witness':
        return this.#takeCosignature({ region, name }, Buffer.from(message).toString());
      case 'trust-log':
        this.counters.statements++;
    }
  }

  /** What was signed of a log, by size. */
  rootsOf(origin: string): ReadonlyMap<number, string> {
    return this.#roots.get(origin) ?? new Map();
  }

  /** The regions that cosigned what `origin` signed at `size`, with their newest times. */
  witnessesOf(origin: string, size: number): ReadonlyMap<string, number> {
    const root = this.rootsOf(origin).get(size) ?? '';
    return this.#cosigned.get(`${origin}\n${size}\n${root}`)?.newest ?? new Map();
  }

  /** The largest tree of a log that a machine has cosigned as a witness. */
  lastWitnessed(name: string, origin: string): number {
    return this.#witnessed.get(`${name} ${origin}`)?.size ?? 0;
  }

  #takeAttestation(region: string, message: Uint8Array): void {
    this.counters.attestations++;
    if (!this.#honest.has(region) || this.#fenced.has(region)) return;
    const { place, content } = parseAttestationMessage(message);
    const before = this.#attested.get(place);
    this.#attested.set(place, content);
    demand(
      before === undefined || before === content,
      'signed once',
      () => `${place} was signed with two contents`,
    );
  }

  #takeCheckpoint(region: string, { origin, size, root }: SignedCheckpoint): void {
    this.counters.checkpoints++;
    const roots = this.#roots.get(origin) ?? new Map<number, string>();
    this.#roots.set(origin, roots);
    const before = roots.get(size);
    if (before === undefined) roots.set(size, root);
    if (!this.#honest.has(region)) return;
    demand(
      before === undefined || before === root,
      'no contradiction',
      () => `${origin}: size ${size} was signed with the roots ${before} and ${root}`,
    );
  }

  #takeCosignature({ region: witness, name }: Signatory, message: string): void {
    this.counters.cosignatures++;
    const textAt = message.indexOf('\n', message.indexOf('\n') + 1) + 1;
    const [label, time = ''] = message.slice(0, textAt).split('\n');
    const atS = Number(time.slice('time '.length));
    demand(
      label === 'cosignature/v1' && Number.isSafeInteger(atS),
      'no bug',
      () => `${witness} cosigned ${label}`,
    );
    const checkpoint = parseCheckpointText(message.slice(textAt));
    const { origin, size, root } = checkpoint;
    const key = `${origin}\n${size}\n${root}`;
    const cosigned = this.#cosigned.get(key) ?? { newest: new Map<string, number>() };
    this.#cosigned.set(key, cosigned);
    cosigned.newest.set(witness, Math.max(atS, cosigned.newest.get(witness) ?? 0));
    if (!this.#honest.has(witness)) return;
    const before = this.#witnessed.get(`${name} ${origin}`);
    this.#witnessed.set(`${name} ${origin}`, checkpoint);
    const isForward =
      before === undefined || size > before.size || (size === before.size && root === before.root);
    demand(isForward, 'witness memory', () => {
      return `${name} cosigned ${origin} at ${size} (${root}) after ${before?.size} (${before?.root})`;
    });
  }
}

function parseCheckpointText(text: string): SignedCheckpoint {
  const [origin = '', digits = '', root = '', ...rest] = text.split('\n');
  const size = Number(digits);
  demand(rest.length === 1 && Number.isSafeInteger(size) && root.length === 44, 'no bug', () => {
    return `what was signed is no checkpoint: ${JSON.stringify(text)}`;
  });
  return { origin, size, root };
}

/** A COSE `Sig_structure`: the origin is in its external data, the index in its payload. */
function parseAttestationMessage(message: Uint8Array): { place: string; content: string } {
  const [, , external, payload] = decodeCbor(message, { bytesMax: 4_096 }) as [
    string,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const label = Buffer.from(external).toString();
  demand(
    label.startsWith(ATTESTATION_LABEL),
    'no bug',
    () => `an attest key signed ${JSON.stringify(label)}`,
  );
  const [, , index] = decodeCbor(payload, { bytesMax: 4_096 }) as [string, string, Uint8Array];
  const place = `${label.slice(ATTESTATION_LABEL.length)}/${Buffer.from(index).toString('hex')}`;
  return { place, content: Buffer.from(message).toString('latin1') };
}
