/** The joining desks of regions in one process, which reach each other by the URL `http://<region>`. */
import assert from 'node:assert/strict';
import { type Bringing } from '../../node/http/joining-client.ts';
import { JoiningBook } from '../../node/joining/joining-book.ts';
import { JoiningDesk } from '../../node/joining/joining-desk.ts';
import { type Store } from '../../node/store/store.ts';
import { encodeBase64 } from '../../protocol/encoding/base64.ts';
import {
  type Answer,
  openInvitation,
  parseInvitationText,
  signJoining,
} from '../../protocol/joining/joining.ts';
import { type Recognition } from '../../protocol/trust/trust-state.ts';
import { Trust } from '../../protocol/verdict/knowledge.ts';
import { testKey, verifySignature } from './keys.ts';
import { ManualClock } from './manual-clock.ts';
import { sha256 } from './primitives.ts';
import { type NodeWorld } from './node-fixture.ts';
import { seeded } from './seeded.ts';
import { medium, startedStore } from './store-fixture.ts';
import { DEMO } from './stub-state.ts';
import { stubFingerprint, stubKnowledge } from './stub-trust.ts';

export class JoiningWorld {
  readonly clock = new ManualClock(1_800_000_000_000);
  /** Stands between the regions: what is brought, as it is brought. */
  onTheWay: (bringing: Bringing) => Bringing = (bringing) => bringing;
  /** By region, the root that all operators here have named for it. */
  readonly pins = new Map<string, Uint8Array>();
  readonly #stores: Store[] = [];
  readonly #desks = new Map<string, JoiningDesk>();

  /** A region, by default one whose root is that of its id; `recognitions` by region, first those of its own. */
  async found(
    region: string,
    {
      name = region,
      root = region,
      network = DEMO,
      recognitions = {},
    }: {
      readonly name?: string;
      readonly root?: string;
      readonly network?: string;
      readonly recognitions?: Readonly<Record<string, readonly Recognition[]>>;
    } = {},
  ): Promise<JoiningDesk> {
    const store = await startedStore(medium());
    this.#stores.push(store);
    const regions = [region, ...Object.keys(recognitions).filter((of) => of !== region)].map((of) => ({
      ...stubKnowledge(
        {
          region: of,
          network,
          fingerprint: stubFingerprint(of === region ? root : of),
          recognitions: recognitions[of] ?? [],
        },
        [],
      ),
    }));
    const trust = new Trust({ home: region, network, regions }, { sha256 });
    const key = testKey(name.charCodeAt(0));
    const desk = new JoiningDesk(
      { region, network },
      {
        book: new JoiningBook({ store }),
        identity: key,
        trust: () => trust,
        pinOf: (of) => this.pins.get(of),
        addresses: () => ({ p2p: [`/ip4/192.0.2.${name.charCodeAt(0)}/tcp/4600`], http: `http://${name}` }),
        bring: (bringing) => this.#bring(bringing),
        clock: this.clock,
        random: bytesOf(seeded(name.charCodeAt(0))),
        sha256,
        verifySignature,
      },
    );
    this.#desks.set(new URL(`http://${name}`).hostname, desk);
    return desk;
  }

  async #bring(bringing: Bringing): Promise<Uint8Array | undefined> {
    const { url, answer, confirmation } = this.onTheWay(bringing);
    const desk = this.#desks.get(new URL(url).hostname) ?? assert.fail(`nobody at ${url}`);
    return desk.take(answer, confirmation);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.stop()));
  }
}

/** That of a region whose node runs in a world; it reaches nobody. */
export function joiningOf(world: NodeWorld, region: string, network: string): JoiningDesk {
  const node = world.node(region);
  return new JoiningDesk(
    { region, network },
    {
      book: node.joinings,
      identity: testKey(region.charCodeAt(0)),
      trust: () => node.trust,
      pinOf: () => undefined,
      addresses: () => ({ p2p: [], http: 'http://192.0.2.1:8600' }),
      bring: () => Promise.resolve(undefined),
      clock: world.clock,
      random: bytesOf(seeded(1)),
      sha256,
      verifySignature,
    },
  );
}

/** What a region of this id answers to an invitation, by the test key 7, as a body of `/v1/joining`. */
export function answerOf(region: string, invitation: string): { readonly answer: string } {
  const bytes = parseInvitationText(invitation);
  const { network } = openInvitation(bytes, { verifySignature }).said;
  const { publicKey, sign } = testKey(7);
  const self = { region, network, name: region, fingerprint: stubFingerprint(region), node: publicKey };
  const nonce = new Uint8Array(16);
  const invited = sha256(bytes);
  const said: Answer = { kind: 'answer', ...self, addresses: [], invitation: invited, at: 0, nonce };
  return { answer: encodeBase64(signJoining(said, sign).bytes) };
}

function bytesOf(chance: () => number): (length: number) => Uint8Array {
  return (length) => Uint8Array.from({ length }, () => Math.floor(256 * chance()));
}
