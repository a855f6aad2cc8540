/** Peers in a world of nodes that tell another trust log of a region than its own node: signed with its keys, as a thief or the region itself can. */
import assert from 'node:assert/strict';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL, TOPICS } from '../../node/sync/messages.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { answerOf, type LogStory } from './log-story.ts';
import { NETWORK, type NodeWorld } from './node-fixture.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';
import { type TestKey } from './region-fixture.ts';

/** The trust log of a region as `holder` has it, without its last `less` entries, and so many revocations of another index each. */
export async function otherTree(
  world: NodeWorld,
  { region, holder, less, more }: { region: string; holder: string; less: number; more: number },
): Promise<ReferenceTree> {
  const { tree } = world.node(holder).keeper(region) ?? assert.fail(`${holder} does not follow ${region}`);
  const entries: Uint8Array[] = [];
  for await (const entry of tree.reader.entries(0, tree.size - less)) entries.push(entry);
  const { fixture } = world.machine(region);
  fixture.nowS = world.nowS;
  for (let i = 0; i < more; i++) entries.push(fixture.entryOf(fixture.revocation([1_000 + i])));
  return new ReferenceTree(entries);
}

/** That tree under the checkpoint key of its region, and a cosignature in the name of each `witness` by `key`. */
export function storyOf(
  world: NodeWorld,
  region: string,
  tree: ReferenceTree,
  cosigners: readonly { readonly witness: string; readonly key: TestKey }[] = [],
): LogStory {
  const origin = trustLogOrigin(region, NETWORK);
  const { publicKey, sign } = world.machine(region).fixture.keys.checkpoint;
  const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
  const checkpoint = { origin, size: tree.entries.length, root: tree.root() };
  const { text, signatures } = signCheckpoint(checkpoint, key, sign);
  const lines = cosigners.map(({ witness, key: cosigner }) => {
    const { publicKey } = world.machine(witness).fixture.keys.witness;
    const name = witnessName(witness, NETWORK);
    const named = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
    return signCosignature(named, text, world.nowS, cosigner.sign);
  });
  return { origin, tree, note: encodeNote({ text, signatures: [...signatures, ...lines] }) };
}

/** A peer comes that knows this story and nothing else, and tells it to all that it is not cut off from. */
export function comes(world: NodeWorld, peer: string, story: LogStory): void {
  const liar = world.network.join(peer);
  liar.handle(SYNC_PROTOCOL, (_peer, request) =>
    Promise.resolve(encodeAnswer(answerOf(parseRequest(request), story))),
  );
  world.network.announce(peer);
  liar.publish(TOPICS.head, encodeAnswer({ kind: 'heads', heads: [{ note: story.note, forks: 0 }] }));
}
