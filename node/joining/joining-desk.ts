/**
 * Two regions meet by an invitation: what the node does of that for its operator, and for whoever answers. Nothing here is trusted:
 * it ends with both operators having confirmed the same words, and what a region then recognises its root says.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import {
  type Answer,
  confirmationMessage,
  type Invitation,
  invitationText,
  JOINING_NONCE_BYTES,
  openAnswer,
  openInvitation,
  parseInvitationText,
  type Said,
  type Side,
  signJoining,
  transcriptOf,
} from '../../protocol/joining/joining.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Bringing } from '../http/joining-client.ts';
import { type JoiningView } from '../http/joining-schemas.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { peerNameOf } from '../network/peer-name.ts';
import { type Clock, type Random, type Signer } from '../ports.ts';
import { Turns } from '../turns.ts';
import { endorsementOf } from './endorsement.ts';
import { type JoiningBook, type JoiningRecord } from './joining-book.ts';
import { wordsOf } from './words.ts';

export interface JoiningDeskOptions {
  readonly region: string;
  readonly network: string;
}

export interface JoiningDeskModules extends Primitives {
  readonly book: JoiningBook;
  /** The node identity. */
  readonly identity: Signer;
  readonly trust: () => Trust;
  /** The fingerprint that the operator has named for a region that is not recognised. */
  readonly pinOf: (region: string) => Uint8Array | undefined;
  /** Where the node is reached now. */
  readonly addresses: () => { readonly p2p: readonly string[]; readonly http: string };
  readonly bring: (bringing: Bringing) => Promise<Uint8Array | undefined>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Open at once; whoever has more takes some back. */
export const JOININGS_MAX = 64;
const NOTHING = new Uint8Array(0);
const NO_RECORD = 'there is no such invitation here, or it is over';
const SEE_LISTS = 'See `entente invite list` and `entente join list`.';
/** Of the hash of an invitation, enough to name it; whoever has the whole can answer it. */
const ID_HEX_CHARS = 16;

interface Parts {
  readonly invitation: Said<Invitation>;
  readonly answer: Said<Answer> | undefined;
  readonly transcript: Uint8Array | undefined;
}

export class JoiningDesk {
  readonly #options: JoiningDeskOptions;
  readonly #modules: JoiningDeskModules;
  /** One change at a time, so that an invitation is used once. */
  readonly #turns = new Turns();

  constructor(options: JoiningDeskOptions, modules: JoiningDeskModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Makes an invitation. @throws {NodeError} REFUSED above `JOININGS_MAX`, or where its address leads nowhere. */
  invite({ forS, http }: { readonly forS: number; readonly http?: string | undefined }) {
    return this.#turns.take('joining', async () => {
      const { book, random, sha256 } = this.#modules;
      await this.#requireRoom();
      const from = this.#nowS;
      const url = http ?? this.#modules.addresses().http;
      if (isEverywhere(url))
        throw refused(`${url} is no address that others can reach`, 'Name it with --http.');
      const said = this.#sign({
        kind: 'invitation',
        ...this.#self(),
        http: url,
        from,
        until: from + forS,
        id: random(JOINING_NONCE_BYTES),
      });
      const record = { side: 'inviting', invitation: said.bytes, answer: NOTHING, ours: false } as const;
      await book.put(sha256(said.bytes), { ...record, theirs: NOTHING, untilS: said.said.until });
      return { invitation: invitationText(said.bytes), untilS: said.said.until, http: url };
    });
  }

  /**
   * Answers an invitation of another region, and brings the answer there; again, the same one.
   * @throws {ProtocolError} as `openInvitation`.
   * @throws {NodeError} REFUSED for one that is over, of the own region or another network, of a region that is known under another root, or of
   * one with which another is open; and as `bring`.
   */
  async join(text: string): Promise<JoiningView> {
    const { book, sha256 } = this.#modules;
    const invitation = openInvitation(parseInvitationText(text), this.#modules);
    this.#requireWelcome(invitation.said);
    this.#requireInTime(invitation.said);
    const hash = sha256(invitation.bytes);
    // Kept before it is sent: an answer that arrived and was forgotten would have used up the invitation.
    const { record, isNew } = await this.#turns.take('joining', () => this.#answerTo(invitation, hash));
    try {
      await this.#bring(record);
    } catch (error) {
      if (isNew && isNodeError(error, 'REFUSED')) await book.drop([hexOf(hash)]);
      throw error;
    }
    return this.#viewOf(record);
  }

  /**
   * Takes the answer of another region to an invitation of this one, and hears whether its operator has confirmed. Gives the own
   * confirmation, once there is one.
   * @throws {ProtocolError} as `openAnswer`; SIGNATURE_INVALID for a confirmation that is not by the same node.
   * @throws {NodeError} NOT_FOUND for an invitation that is not of this node or is over; REFUSED for one that is used, and as `join`.
   */
  take(bytes: Uint8Array, confirmation?: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#turns.take('joining', async () => {
      const { book, sha256, verifySignature } = this.#modules;
      const answer = openAnswer(bytes, this.#modules);
      const hash = answer.said.invitation;
      let record = await book.of(hash);
      if (record?.side !== 'inviting' || record.untilS <= this.#nowS)
        throw new NodeError('NOT_FOUND', NO_RECORD);
      if (record.answer.length > 0 && !equalBytes(record.answer, bytes))
        throw refused('the invitation is used: another answer came before');
      this.#requireWelcome(answer.said);
      await this.#requireAlone('inviting', hash, answer.said);
      const transcript = transcriptOf(sha256, record.invitation, bytes);
      if (confirmation !== undefined) {
        const message = confirmationMessage('joining', transcript);
        if (!verifySignature({ publicKey: answer.said.node, message, signature: confirmation }))
          throw refused('the confirmation is not by the node that answered');
      }
      const theirs = confirmation ?? record.theirs;
      if (record.answer.length === 0 || !equalBytes(record.theirs, theirs)) {
        record = { ...record, answer: bytes, theirs };
        await book.put(hash, record);
      }
      return record.ours ? this.#confirm('inviting', transcript) : undefined;
    });
  }

  /**
   * The operator has compared the words of this transcript (hexadecimal), and of no other: a region's id is what anybody can claim.
   * On the joining side this is brought to the other; ask again until both have confirmed.
   * @throws {NodeError} NOT_FOUND; REFUSED on the inviting side as long as the other has not confirmed, and where the other is known under another root
   * by now; as `bring`.
   */
  async confirm(side: Side, transcript: string): Promise<JoiningView> {
    const record = await this.#change(side, transcript, (before) => {
      const other = this.#otherOf(before);
      if (other !== undefined) this.#requireWelcome(other);
      if (side === 'joining' || before.theirs.length > 0) return { ...before, ours: true };
      throw refused(
        `the operator of ${other?.region} has not confirmed yet`,
        'Nothing is trusted before both have: ask him for `entente join confirm`, and confirm again.',
      );
    });
    if (side === 'inviting') return this.#viewOf(record);
    const theirs = await this.#bring(record);
    if (theirs === undefined) return this.#viewOf(record);
    return this.#viewOf(await this.#change(side, transcript, (before) => ({ ...before, theirs })));
  }

  /** Takes back an invitation, answered or not, or an answer, and all that is known of it; `id` as `list` gives it. @throws {NodeError} NOT_FOUND */
  drop(id: string): Promise<void> {
    return this.#turns.take('joining', async () => {
      const { book } = this.#modules;
      const dropped = [...(await book.all()).keys()].filter((hash) => hash.slice(0, ID_HEX_CHARS) === id);
      if (dropped.length === 0) throw new NodeError('NOT_FOUND', NO_RECORD, { hint: SEE_LISTS });
      await book.drop(dropped);
    });
  }

  /** All that are not over, the soonest to end first. */
  async list(): Promise<JoiningView[]> {
    const all = [...(await this.#modules.book.all()).values()].filter(({ untilS }) => untilS > this.#nowS);
    return all.sort((a, b) => a.untilS - b.untilS).map((record) => this.#viewOf(record));
  }

  async #find(side: Side, wanted: string): Promise<readonly [Uint8Array, JoiningRecord]> {
    for (const record of (await this.#modules.book.all()).values()) {
      if (record.side !== side || record.untilS <= this.#nowS) continue;
      const { transcript } = this.#partsOf(record);
      if (transcript !== undefined && hexOf(transcript) === wanted)
        return [this.#modules.sha256(record.invitation), record];
    }
    throw new NodeError('NOT_FOUND', NO_RECORD, { hint: SEE_LISTS });
  }

  #change(
    side: Side,
    transcript: string,
    change: (before: JoiningRecord) => JoiningRecord,
  ): Promise<JoiningRecord> {
    return this.#turns.take('joining', async () => {
      const [hash, before] = await this.#find(side, transcript);
      const record = change(before);
      await this.#modules.book.put(hash, record);
      return record;
    });
  }

  async #answerTo(
    { bytes: invitation, said: inviting }: Said<Invitation>,
    hash: Uint8Array,
  ): Promise<{ readonly record: JoiningRecord; readonly isNew: boolean }> {
    const { book, random } = this.#modules;
    const { until: untilS } = inviting;
    await this.#requireAlone('joining', hash, inviting);
    const known = await book.of(hash);
    if (known !== undefined) return { record: known, isNew: false };
    await this.#requireRoom();
    const nonce = random(JOINING_NONCE_BYTES);
    const said = { kind: 'answer', ...this.#self(), invitation: hash, at: this.#nowS, nonce } as const;
    const { bytes: answer } = this.#sign(said);
    const record = { side: 'joining', invitation, answer, ours: false, theirs: NOTHING, untilS } as const;
    await book.put(hash, record);
    return { record, isNew: true };
  }

  async #bring(record: JoiningRecord): Promise<Uint8Array | undefined> {
    const { bring, verifySignature } = this.#modules;
    const { invitation, transcript } = this.#partsOf(record);
    if (transcript === undefined) throw new TypeError('only an answer is brought');
    const confirmation = record.ours ? this.#confirm('joining', transcript) : undefined;
    const theirs = await bring({ url: invitation.said.http, answer: record.answer, confirmation });
    if (theirs === undefined) return undefined;
    const message = confirmationMessage('inviting', transcript);
    if (!verifySignature({ publicKey: invitation.said.node, message, signature: theirs }))
      throw new NodeError('DATA_INCONSISTENT', 'the confirmation is not by the node that invited');
    return theirs;
  }

  #partsOf({ invitation: bytes, answer: answered }: JoiningRecord): Parts {
    const invitation = openInvitation(bytes, this.#modules);
    if (answered.length === 0) return { invitation, answer: undefined, transcript: undefined };
    const transcript = transcriptOf(this.#modules.sha256, bytes, answered);
    return { invitation, answer: openAnswer(answered, this.#modules), transcript };
  }

  #otherOf(record: JoiningRecord): Invitation | Answer | undefined {
    const { invitation, answer } = this.#partsOf(record);
    return record.side === 'joining' ? invitation.said : answer?.said;
  }

  #viewOf(record: JoiningRecord): JoiningView {
    const { side, ours, theirs, untilS } = record;
    const { transcript } = this.#partsOf(record);
    const other = this.#otherOf(record);
    const id = hexOf(this.#modules.sha256(record.invitation)).slice(0, ID_HEX_CHARS);
    const view = { id, side, ours, theirs: theirs.length > 0, untilS };
    if (other === undefined || transcript === undefined) return view;
    const { region, name, fingerprint, node, addresses } = other;
    const peer = peerNameOf(node);
    return {
      ...view,
      region,
      name,
      fingerprint: hexOf(fingerprint),
      addresses: addresses.map((address) => `${address}/p2p/${peer}`),
      transcript: hexOf(transcript),
      words: wordsOf(transcript),
      ...copied(endorsementOf(this.#modules.trust(), other, this.#nowS)),
    };
  }

  #requireWelcome({ region, network, fingerprint }: Invitation | Answer): void {
    if (network !== this.#options.network)
      throw refused(`it is of the network ${network}, and this one of ${this.#options.network}`);
    if (region === this.#options.region) throw refused(`${region} would join itself`);
    const known = this.#knownRoot(region);
    if (known !== undefined && !equalBytes(known, fingerprint))
      throw refused(
        `${region} is known here under another root`,
        'Two regions claim one id: find out which is right. `entente recognise --new-root` is for one that was set up anew.',
      );
  }

  #knownRoot(region: string): Uint8Array | undefined {
    const { trust, pinOf } = this.#modules;
    const word = trust().regions.get(this.#options.region)?.state.recognition(region);
    return word === undefined || word.standing === 'withdrawn' ? pinOf(region) : word.fingerprint;
  }

  /**
   * One id claimed twice: people who are told one region must have one thing to compare. Where both have confirmed they have compared it: that region may
   * join again, from a new machine too, and no other root in its place.
   */
  async #requireAlone(
    side: Side,
    hash: Uint8Array,
    { region, fingerprint, node }: Invitation | Answer,
  ): Promise<void> {
    const hint = `${SEE_LISTS} Find out which is right, and drop the other.`;
    for (const [of, record] of await this.#modules.book.all()) {
      if (of === hexOf(hash) || record.untilS <= this.#nowS) continue;
      const other = this.#otherOf(record);
      if (other?.region !== region) continue;
      if (!equalBytes(other.fingerprint, fingerprint))
        throw refused(`another root claims to be ${region}`, hint);
      if (record.ours && record.theirs.length > 0) continue;
      if (!equalBytes(other.node, node)) throw refused(`another node claims to be of ${region}`, hint);
      if (record.side === side) throw refused(`another invitation with ${region} is open`, hint);
    }
  }

  #requireInTime({ from, until }: Invitation): void {
    if (until <= this.#nowS) throw refused('the invitation is over', 'Ask for a new one.');
    if (from > this.#nowS + CLOCK_S_MAX)
      throw refused('the invitation is of a time that has not come', 'Set the clocks of both machines.');
  }

  async #requireRoom(): Promise<void> {
    const { book } = this.#modules;
    const all = [...(await book.all())];
    const over = all.filter(([, { untilS }]) => untilS <= this.#nowS).map(([hash]) => hash);
    await book.drop(over);
    if (all.length - over.length >= JOININGS_MAX)
      throw refused(`${JOININGS_MAX} invitations are open`, 'Wait until some are over, or drop them.');
  }

  #self() {
    const { trust, addresses, identity } = this.#modules;
    const { region, network } = this.#options;
    const state = trust().regions.get(region)?.state;
    if (state?.root === undefined || state.fingerprint === undefined)
      throw new NodeError('KEY_NOT_IN_FORCE', 'the region has no root in its trust log yet', { retry: true });
    const { fingerprint } = state;
    const { name } = state.root;
    return { region, network, name, fingerprint, node: identity.publicKey, addresses: [...addresses().p2p] };
  }

  #sign<T extends Invitation | Answer>(said: T): Said<T> {
    return signJoining(said, (message) => this.#modules.identity.sign(message));
  }

  #confirm(side: Side, transcript: Uint8Array): Uint8Array {
    return this.#modules.identity.sign(confirmationMessage(side, transcript));
  }

  get #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

/** Seconds that the inviting clock may be ahead. */
const CLOCK_S_MAX = 120;

function copied({ vouching, contradicting }: ReturnType<typeof endorsementOf>) {
  return { vouching: [...vouching], contradicting: [...contradicting] };
}

function isEverywhere(url: string): boolean {
  return ['0.0.0.0', '[::]'].includes(new URL(url).hostname);
}

function refused(message: string, hint?: string): NodeError {
  return new NodeError('REFUSED', message, hint === undefined ? {} : { hint });
}
