/** Destroys what the registry has of a person's attestations, in the files of the disk too. One call at a time. */
import { type Change } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { encodeBases } from './bases.ts';
import { type ForgottenRows } from './forgotten-rows.ts';
import { type LogSealers } from './log-sealers.ts';
import { basisKey } from './page-keys.ts';
import { byPlace, type OpenPage } from './pages.ts';
import { type PaperRows } from './paper-rows.ts';
import { type Place } from './place-cipher.ts';
import { type Pointers } from './pointers.ts';
import { type PrivateTables } from './private-tables.ts';
import { hourOfPage, type PageRecord, recordOfPage, withoutRecord } from './record-page.ts';
import { encodeUncounted, uncountedKey } from './uncounted.ts';

export interface ForgettingOptions {
  /** Whether a tally tells of a code, or none ever will; true by default. Of others colour and rule are left (`Registry.uncounted`). */
  readonly isCounted?: (place: Place) => boolean;
  /** When this was ordered, in seconds since 1970: notes first that the other machine of the region is to forget it (`Registry.forgotten`). */
  readonly forOtherAtS?: number;
  /** Called before anything is noted or destroyed, where there is something of the person. */
  readonly onFound?: () => Promise<void>;
}

export interface NamedForgettingOptions {
  readonly isCounted: (place: Place) => boolean;
  /** Told whose it is, and where, before anything is destroyed. */
  readonly onPerson?: ((subject: string, place: Place) => Promise<void>) | undefined;
}

export interface PlaceForgettingOptions extends Pick<ForgettingOptions, 'forOtherAtS'> {
  readonly isCounted: (place: Place) => boolean;
}

export interface ForgetterModules {
  readonly tables: PrivateTables;
  readonly sealers: LogSealers;
  readonly pointers: Pointers;
  readonly forgotten: Pick<ForgottenRows, 'note'>;
  readonly papers: Pick<PaperRows, 'isThere' | 'forget'>;
  readonly pageAt: (place: Place) => Promise<OpenPage | undefined>;
  readonly basesOf: (page: OpenPage) => Promise<readonly (Uint8Array | undefined)[]>;
  /** Of the mark that a person has codes that no rule gave. */
  readonly manualKey: (subject: string) => string;
}

export class Forgetter {
  readonly #modules: ForgetterModules;

  constructor(modules: ForgetterModules) {
    this.#modules = modules;
  }

  /** What leads to a person goes last, so that a run that broke off is taken up where it was. As `Registry.forget`. */
  async forget(
    subject: string,
    { isCounted = () => true, forOtherAtS, onFound }: ForgettingOptions,
  ): Promise<readonly Place[]> {
    const { pointers, forgotten, papers } = this.#modules;
    const [places = []] = await pointers.of([subject]);
    if (places.length > 0 || (await papers.isThere(subject))) await onFound?.();
    if (forOtherAtS !== undefined) await forgotten.note(subject, places, forOtherAtS);
    for (const place of places.sort(byPlace)) await this.#destroy(subject, place, isCounted);
    await this.#unpoint(subject, places, true);
    return places;
  }

  /**
   * Forgets one attestation by the name that the other machine has noted of it; nothing of it where it is not that person's here. The
   * record goes last, since it says whose the rest is: a run that broke off is begun again.
   * @throws {NodeError} REGISTRY_CORRUPT for what names no place under this key, and as `onPerson` and `forget`.
   */
  async forgetNamed(name: string, { isCounted, onPerson }: NamedForgettingOptions): Promise<void> {
    const { tables, pointers, pageAt } = this.#modules;
    const place = pointers.placeOf(name);
    const page = await pageAt(place);
    const subject = page && recordOfPage(page.bytes, place.index - page.first)?.subject;
    if (subject !== undefined && pointers.nameOf(subject, place) === name) {
      await onPerson?.(subject, place);
      return this.#forgetOne(subject, place, isCounted);
    }
    await pointers.dropNamed(name);
    if (page !== undefined) await tables.compact(page.key, keyAfter(page.key));
  }

  /** Forgets one attestation of a person; nothing where it is somebody else's, or forgotten. As `forgetNamed`. */
  async forgetPlace(
    subject: string,
    place: Place,
    { isCounted, forOtherAtS }: PlaceForgettingOptions,
  ): Promise<void> {
    const { pageAt, forgotten } = this.#modules;
    const page = await pageAt(place);
    const record = page && recordOfPage(page.bytes, place.index - page.first);
    if (record?.subject !== subject) return;
    if (forOtherAtS !== undefined) await forgotten.note(subject, [place], forOtherAtS);
    await this.#forgetOne(subject, place, isCounted);
  }

  /** The record goes last. */
  async #forgetOne(subject: string, place: Place, isCounted: (place: Place) => boolean): Promise<void> {
    const [places = []] = await this.#modules.pointers.of([subject]);
    const isLast = places.every((one) => byPlace(one, place) === 0);
    await this.#unpoint(subject, [place], isLast);
    await this.#destroy(subject, place, isCounted);
  }

  /** Of an attestation what opens it, and what its colour rests on, unless it is somebody else's. */
  async #destroy(subject: string, place: Place, isCounted: (place: Place) => boolean): Promise<void> {
    const { tables, sealers, pageAt, basesOf } = this.#modules;
    const page = await pageAt(place);
    if (page === undefined) return;
    const slot = place.index - page.first;
    const record = recordOfPage(page.bytes, slot);
    if (record !== undefined && record.subject !== subject) return;
    const bases = await basesOf(page);
    if (bases.length > 0) {
      const key = basisKey(page.key);
      const left = bases.map((basis, i) => (i === slot ? undefined : basis));
      if (bases[slot] !== undefined) await tables.write([sealers.change(place.log, key, encodeBases(left))]);
      await tables.compact(key, keyAfter(key));
    }
    if (record !== undefined) {
      const left = isCounted(place) ? [] : [this.#uncounted(place, page.bytes, record)];
      await tables.write([sealers.change(place.log, page.key, withoutRecord(page.bytes, slot)), ...left]);
    }
    await tables.compact(page.key, keyAfter(page.key));
  }

  /** What leads from a person to places; the mark of codes that no rule gave, and their papers, go with the last. */
  async #unpoint(subject: string, places: readonly Place[], isLast: boolean): Promise<void> {
    const { tables, pointers, papers, manualKey } = this.#modules;
    if (isLast) await papers.forget(subject);
    const manual = manualKey(subject);
    await tables.write([...pointers.dels(subject, places), ...(isLast ? [{ del: manual }] : [])]);
    if (isLast) await tables.compact(manual, keyAfter(manual));
    await pointers.compact(subject);
  }

  #uncounted(place: Place, page: Uint8Array, { fields }: PageRecord): Change {
    const plain = encodeUncounted({ hour: hourOfPage(page), status: fields.status });
    return this.#modules.sealers.change(place.log, uncountedKey(place), plain);
  }
}
