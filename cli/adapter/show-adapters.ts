/** `entente adapter show`: the adapters of a region, or all of one. */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type AdapterFormat, readAdapter } from '../../protocol/foreign/adapter.ts';
import { isCountryRules, readCountryRules } from '../../protocol/foreign/country-rules.ts';
import { type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { isOpaque } from '../../protocol/lookup/opaque-adapter.ts';
import { type LoggedAdapter } from '../../protocol/trust/trust-state.ts';
import { type Cli } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { aligned, counted } from '../output.ts';
import { printable } from '../printable.ts';
import { readRegion } from '../region.ts';
import { timeText } from '../times.ts';
import { isAnnouncing, loggedUnder } from './announcement.ts';

/** What a region announces, or all of one adapter. @throws {CliError} NOT_FOUND */
export async function showAdapters(cli: Cli, path: string, id: string | undefined): Promise<void> {
  const { state, region } = await readRegion(cli, path);
  const nowS = cli.surroundings.nowS();
  const logged = id === undefined ? [...state.adapters()] : loggedUnder(state, id);
  const adapters = logged.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (id !== undefined && adapters.length === 0) throw noAdapter(region, id);
  const told = adapters.map((one) => toldOf(one, nowS));
  cli.output.result({ region, adapters: told }, () =>
    told.length === 0 ? [`${region} announces no adapter.`] : told.flatMap(adapterLines),
  );
}

interface ToldAdapter {
  readonly adapter: string;
  readonly version: number;
  readonly standing: string;
  readonly fromS: number;
  readonly untilS: number;
  /** Of a country for EU certificates. */
  readonly countryRules?: readonly object[];
  /** Undefined where it announces nothing. */
  readonly announced?: {
    readonly format: AdapterFormat;
    readonly rules: string;
    readonly facts: unknown;
    readonly profile?: LocalProfile;
    readonly keys: readonly object[];
    /** By key id and name, in hexadecimal. */
    readonly authorities?: readonly object[];
    /** Names of keys of signers, in hexadecimal. */
    readonly refused?: readonly string[];
  };
}

function toldOf(logged: LoggedAdapter, nowS: number): ToldAdapter {
  const { id: adapter, version, fromS, untilS, data } = logged;
  const told = { adapter, version, fromS, untilS };
  if (!isAnnouncing(logged)) return { ...told, standing: 'withdrawn' };
  if (isOpaque(logged)) return { ...told, standing: 'numbers that are looked up: see `entente lookup show`' };
  try {
    if (isCountryRules(logged)) {
      const { rules } = readCountryRules(logged);
      const standing = `${counted(rules.length, 'rule')} for EU certificates, until ${timeText(untilS)}`;
      return { ...told, standing, countryRules: data['rules'] as readonly object[] };
    }
    const { format, profile, rules, keys, authorities, refused } = readAdapter(logged);
    const standing = nowS < untilS ? 'announced' : 'over, what it signed before still counts';
    const shown = keys.map(({ publicKey: { kind }, ...rest }) => ({ ...rest, kind }));
    const announced = {
      format,
      ...(profile !== undefined && { profile }),
      rules,
      facts: data['facts'],
      keys: shown,
      ...(authorities.length > 0 && {
        authorities: authorities.map(({ publicKey: { kind }, name, keyId, ...rest }) => ({
          ...{ name: hexOf(name), keyId: hexOf(keyId), kind },
          ...rest,
        })),
      }),
      ...(refused.length > 0 && { refused: refused.map(hexOf) }),
    };
    return { ...told, standing, announced };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { ...told, standing: 'of another form, so it announces nothing' };
  }
}

function adapterLines({ adapter, version, standing, untilS, announced }: ToldAdapter): string[] {
  const head = `${adapter}, version ${version}: ${standing}`;
  if (announced === undefined) return [head];
  const { format, profile, rules, facts, keys, authorities = [], refused = [] } = announced;
  const rows: [string, string][] = [
    ['format', format],
    ...(profile === undefined ? [] : profileRows(profile)),
    ...(keys.length === 0 ? [] : ([['keys', counted(keys.length, 'key')]] as [string, string][])),
    ...(authorities.length === 0
      ? []
      : ([['authorities', counted(authorities.length, 'key')]] as [string, string][])),
    ...(refused.length === 0 ? [] : ([['refused', counted(refused.length, 'signer')]] as [string, string][])),
    ['sign until', timeText(untilS)],
    ['rules', rules],
    ['facts', Object.keys(facts as object).join(', ')],
  ];
  return [head, ...aligned(rows, '  ')];
}

function profileRows({ container, prefix, algorithms }: LocalProfile): [string, string][] {
  return [
    ['begins with', prefix === '' ? 'nothing of its own' : printable(prefix)],
    ['container', `${container}, ${algorithms.join(' or ')}`],
  ];
}

export function noAdapter(region: string, id: string): CliError {
  return new CliError(EXIT.failure, 'NOT_FOUND', `${region} announces no adapter ${printable(id)}`, {
    hint: 'List its adapters with `entente adapter show`.',
  });
}
