import assert from 'node:assert/strict';
import { chmodSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { checkAgainstLog, checkOffset, checkSteps } from '../../../cli/doctor/clock-checks.ts';
import { checkConfig, checkModes, checkPolicy } from '../../../cli/doctor/config-checks.ts';
import {
  checkFileSystem,
  checkLatency,
  checkMarks,
  checkOpenFiles,
  checkSpace,
} from '../../../cli/doctor/disk-checks.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { type Finding, quoted } from '../../../cli/doctor/finding.ts';
import { checkOtherKeys, checkSeparate, checkTrustKeys } from '../../../cli/doctor/key-checks.ts';
import {
  checkCosigning,
  checkForks,
  checkLeft,
  checkNewest,
  checkShort,
  checkVouchable,
  checkWriting,
} from '../../../cli/doctor/log-checks.ts';
import { checkMemory, checkNodeVersion, checkTls } from '../../../cli/doctor/machine-checks.ts';
import { ownLines } from '../../../cli/commands/status.ts';
import { checkNumbers } from '../../../cli/doctor/number-checks.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import { type RunningStatus } from '../../../cli/desk/node-status.ts';
import { encodeVerifierKey, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { dayOf } from '../../../protocol/lookup/opaque-adapter.ts';
import {
  checkEnough,
  checkHttp,
  checkReachable,
  checkShutOut,
  checkVouching,
} from '../../../cli/doctor/peer-checks.ts';
import { checkAnnounced, checkPorts } from '../../../cli/doctor/port-checks.ts';
import { checkForgotten, checkWorkers } from '../../../cli/doctor/registry-check.ts';
import { checkDamage, checkRunning, checkStore } from '../../../cli/doctor/store-checks.ts';
import { configError } from '../../../node/config/problems.ts';
import { keyFilePath, keyNamesIn } from '../../../node/region/key-file.ts';
import { FileSecondPlace } from '../../../node/store/second-place.ts';
import { bytesOf, workerName } from '../../../node/workers/work-rows.ts';
import { storeError } from '../../../node/store/store-error.ts';
import { gonePeer, gravest, peerView, runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { TestCli } from '../../support/cli.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { trustModules } from '../../support/region-fixture.ts';
import { OUTSIDE, OUTSIDE_POLICY } from '../../support/outside-witness.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const DAY_S = 86_400;

describe('the checks of entente doctor', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let well: ReadablePatient;
  before(async () => {
    well = await wellPatient(folder());
  });

  /** The gravest finding says so much, and what has to be done can be typed. */
  function expectFinding(findings: readonly Finding[], level: string | undefined, text = /./): void {
    assert.equal(gravest(findings), level, JSON.stringify(findings));
    const found = findings.find((finding) => finding.level === level);
    if (found !== undefined) assert.match(found.text, text);
    for (const { level: of, fix } of findings) if (of === 'must' || of === 'warn') assert.ok(fix?.length);
  }

  function peers(...views: ReadablePatient['peers']): ReadablePatient {
    return { ...well, peers: views };
  }

  describe('configuration', () => {
    it('checkConfig passes a file that can be read, and repeats what is wrong with another', () => {
      expectFinding(checkConfig(well), 'ok');
      const error = configError('entente.yaml', ['line 3: htpp: unknown key; did you mean http?']);
      expectFinding(
        checkConfig({ ...well, config: undefined, configError: error }),
        'must',
        /did you mean http/,
      );
    });

    it('checkPolicy reads the file that witness.policy names, and tells the line that is wrong', async () => {
      assert.deepEqual(await checkPolicy(well), []);
      const by = (policy: string) => ({ ...well, config: { ...well.config, witness: { policy } } });
      const path = join(folder(), 'witnesses.policy');
      writeFileSync(path, OUTSIDE_POLICY);
      expectFinding(await checkPolicy(by(path)), 'ok', /go by the policy/);
      const named = (name: string) => {
        const key = encodeVerifierKey(makeVerifierKey(sha256, { ...OUTSIDE, name }));
        writeFileSync(path, `witness w ${key}\nquorum w\n`);
        return checkPolicy(by(path));
      };
      const { network } = well.config;
      expectFinding(await named(`De.${network}/witness`), 'warn', /asks for De\..* as a witness outside/);
      expectFinding(await named(`DE.${network}/Witness`), 'warn', /as a witness outside/);
      expectFinding(await named(`DE.${network}/witness`), 'ok');
      expectFinding(await named(`de.${network}.example/witness`), 'ok');
      writeFileSync(path, 'quorum w\n');
      expectFinding(await checkPolicy(by(path)), 'must', /line 1: /);
      expectFinding(await checkPolicy(by(join(folder(), 'none'))), 'must', /there is no policy/);
    });

    it('checkConfig warns of a missing fingerprint, and refuses a socket whose path is too long', () => {
      const config = { ...well.config, fingerprint: undefined };
      expectFinding(checkConfig({ ...well, config }), 'warn', /fingerprint/);
      const admin = { ...well.config.admin, listen: join('/x'.repeat(60), 'admin.sock') };
      expectFinding(checkConfig({ ...well, config: { ...well.config, admin } }), 'must', /longer/);
    });

    it('B71: checkModes names each secret that others may read, and the chmod', async () => {
      expectFinding(await checkModes(well), 'ok');
      const [name] = await keyNamesIn(well.layout.keys);
      assert.ok(name);
      const path = keyFilePath(well.layout.keys, name);
      chmodSync(path, 0o644);
      const findings = await checkModes(well);
      chmodSync(path, 0o600);
      expectFinding(findings, 'must', /0644/);
      assert.deepEqual(
        findings.map(({ fix }) => fix),
        [`chmod 600 ${path}`],
      );
    });
  });

  describe('ports', () => {
    async function listening(server: Server): Promise<number> {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      return typeof address === 'object' ? (address?.port ?? 0) : 0;
    }

    it('checkPorts of a stopped node: free, or another process has one', async () => {
      expectFinding(await checkPorts(well), 'ok');
      const server = createServer();
      const port = await listening(server);
      const config = { ...well.config, http: { ...well.config.http, port } };
      const findings = await checkPorts({ ...well, config });
      server.close();
      expectFinding(findings, 'must', new RegExp(`port ${port} of http.port`));
      assert.match(findings[0]?.fix ?? '', /^entente run .* --set http\.port=\d+$/);
    });

    it('checkPorts of a running node: it answers, or nobody does where it should', async () => {
      const server = createHttpServer((_, response) => response.end('ok'));
      const port = await listening(server);
      const addresses = {
        peer: 'us',
        http: `http://127.0.0.1:${port}`,
        p2p: [`/ip4/127.0.0.1/tcp/${port}/p2p/us`],
      };
      expectFinding(await checkPorts(runningOn(well, { addresses })), 'ok');
      const closed = { ...addresses, http: 'http://127.0.0.1:1', p2p: ['/ip4/127.0.0.1/tcp/1/p2p/us'] };
      const findings = await checkPorts(runningOn(well, { addresses: closed }));
      server.close();
      expectFinding(findings, 'must');
      assert.equal(findings.length, 2);
      const dead = { ...addresses, http: 'http://127.0.0.1:1', p2p: [] };
      assert.match(
        (await checkPorts(runningOn(well, { addresses: dead })))[1]?.text ?? '',
        /the network has ended/,
      );
    });

    it('checkAnnounced warns where peers elsewhere are told a loopback address', () => {
      expectFinding(checkAnnounced(well), 'note');
      const elsewhere = peers(peerView('FR', { addresses: ['/ip4/192.0.2.7/tcp/4600'] }));
      expectFinding(checkAnnounced(elsewhere), 'warn', /cannot dial/);
      const p2p = { ...well.config.p2p, announce: ['/dns4/de.example/tcp/4600'] };
      expectFinding(checkAnnounced({ ...elsewhere, config: { ...well.config, p2p } }), 'ok');
    });

    it('checkTls: plain on loopback, plain for all, and files that are not there', async () => {
      expectFinding(await checkTls(well), 'ok');
      const { http } = well.config;
      const open = { ...well, config: { ...well.config, http: { ...http, address: '0.0.0.0' } } };
      expectFinding(await checkTls(open), 'note');
      const tls = { certFile: 'none.pem', keyFile: 'none.key' };
      const absent = { ...well, config: { ...well.config, http: { ...http, tls } } };
      expectFinding(await checkTls(absent), 'must', /no file/);
    });
  });

  describe('clock', () => {
    it('T15: checkOffset goes by the middle of the peers, and lets one that lies be', () => {
      expectFinding(checkOffset(well), 'ok');
      expectFinding(checkOffset(peers(gonePeer('FR', 'silent'))), 'note', /no peer/);
      const two = (aheadS: number) => [peerView('FR', { aheadS }), peerView('IT', { aheadS })];
      expectFinding(checkOffset(peers(...two(30))), 'warn', /differs/);
      expectFinding(checkOffset(peers(...two(-3_600))), 'must', /60 min behind/);
      const liar = peerView('JP', { aheadS: 9_999 });
      expectFinding(checkOffset(peers(...two(0), liar)), 'note', /not with JP/);
      const clock = { standing: 'astray' as const, aheadS: 500, aheadOfS: {}, needed: 2 };
      expectFinding(checkOffset({ ...runningOn(well, { clock }), peers: two(500) }), 'must');
    });

    it('B72: checkAgainstLog refuses a time before the newest entry', () => {
      const { state } = well;
      assert.ok(state);
      const at = (lastAtS: number) => ({
        ...well,
        state: Object.create(state, { lastAtS: { value: lastAtS } }) as typeof state,
      });
      expectFinding(checkAgainstLog(at(well.nowS - 1)), 'ok');
      expectFinding(checkAgainstLog(at(well.nowS + 300)), 'must', /before the newest/);
      assert.deepEqual(checkAgainstLog({ ...well, state: undefined }), []);
    });

    it('checkSteps warns of a jump against running time, either way', () => {
      expectFinding(checkSteps({ ...well, steppedMs: 400 }), 'ok');
      for (const steppedMs of [700, -700])
        expectFinding(checkSteps({ ...well, steppedMs }), 'warn', /jumped/);
    });
  });

  describe('disk', () => {
    it('checkSpace, checkLatency and checkFileSystem tell of both places, and leave nothing behind', async () => {
      const before = await checkSpace(well);
      assert.equal(before.length, 2);
      assert.equal((await checkLatency(well)).length, 2);
      const [finding] = await checkFileSystem(well);
      assert.match(finding?.text ?? '', /second place is on the disk|overlay|tmpfs/);
    });

    it('F3: checkLatency on a place that cannot be written is told, and the others go on', async () => {
      const storage = { store: '/proc/self', secondPlace: well.config.storage.secondPlace };
      const found = await examine({ ...well, config: { ...well.config, storage } });
      const disk = found.filter(({ family }) => family === 'disk');
      assert.ok(disk.some(({ level, text }) => level === 'warn' && /could not be looked at/.test(text)));
      assert.ok(found.some(({ family, level }) => family === 'keys' && level === 'ok'));
    });

    it('checkOpenFiles holds the limit against what the config allows', async () => {
      const many = (connectionsMax: number) => ({
        ...well,
        config: { ...well.config, limits: { ...well.config.limits, connectionsMax } },
      });
      const soft = await checkOpenFiles(many(1));
      if (soft[0]?.level === 'note') return;
      expectFinding(soft, 'ok');
      expectFinding(await checkOpenFiles(many(1e9)), 'warn', /1000001024/);
    });
  });

  describe('store', () => {
    it('checkStore: opened, refused with the command for its code, serving, and not', () => {
      expectFinding(checkStore(well), 'ok', /entente fsck/);
      const refused = (code: Parameters<typeof storeError>[0]) =>
        checkStore({ ...well, storeError: storeError(code, 'why') });
      expectFinding(refused('STORE_CORRUPT'), 'must', /STORE_CORRUPT/);
      assert.deepEqual(
        refused('STORE_CORRUPT').map(({ fix, exit }) => [fix, exit]),
        [[`entente fsck ${well.path}`, 5]],
      );
      expectFinding(refused('STORE_LOCKED'), 'must');
      expectFinding(refused('SCHEMA_NEWER'), 'must');
      expectFinding(checkStore(runningOn(well)), 'ok');
      expectFinding(checkStore(runningOn(well, { store: 'full' })), 'must', /full/);
    });

    it('F5: checkDamage names logs that are closed and values that are damaged', () => {
      expectFinding(checkDamage(runningOn(well)), 'ok');
      expectFinding(checkDamage(runningOn(well, { scrub: { corrupt: 2 } })), 'must', /2 values/);
      expectFinding(checkDamage(runningOn(well, { closed: { 'DE.demo/trust': 'why' } })), 'must', /why/);
      assert.deepEqual(checkDamage(well), []);
    });

    it('F4: checkMarks names each file of the second place that is torn, of one log and of many', async () => {
      expectFinding(await checkMarks(well), 'ok');
      const secondPlace = folder();
      const place = new FileSecondPlace({ directory: secondPlace });
      const mark = { size: 1, root: new Uint8Array(32), note: new Uint8Array() };
      for (const name of ['DE.demo/trust', 'FR.demo/trust', 'witness:DE.demo/trust'])
        await place.raise(name, mark);
      const torn = readdirSync(secondPlace).filter((file) => !file.startsWith('FR'));
      assert.equal(torn.length, 2);
      for (const file of torn) truncateSync(join(secondPlace, file), 70);
      const storage = { ...well.config.storage, secondPlace };
      const findings = await checkMarks({ ...well, config: { ...well.config, storage } });
      expectFinding(findings, 'must', /SECOND_PLACE_CORRUPT/);
      assert.deepEqual(
        torn.map((file) => findings.filter(({ text, exit }) => text.includes(file) && exit === 5).length),
        [1, 1],
      );
      assert.equal(findings.length, 2);
    });

    it('checkRunning says whether a node runs', () => {
      expectFinding(checkRunning(well), 'note', /no node/);
      expectFinding(checkRunning(runningOn(well)), 'ok', /process/);
    });
  });

  describe('keys', () => {
    it('checkTrustKeys: days that are left, and none', async () => {
      expectFinding(await checkTrustKeys(well), 'ok', /8\d days|90 days/);
      for (const [days, level] of [
        [70, 'warn'],
        [85, 'must'],
        [100, 'must'],
      ] as const) {
        expectFinding(
          await checkTrustKeys({ ...well, nowS: well.nowS + days * DAY_S }),
          level,
          /end in|no .* in force/,
        );
      }
    });

    it('B71: checkTrustKeys names a key whose file is not here, the next one too', async () => {
      const dir = folder();
      const other = await wellPatient(dir);
      const keys = other.state?.keysWithRole('attest').toSorted((a, b) => a.fromS - b.fromS) ?? [];
      const [first, next] = keys;
      assert.ok(first && next);
      rmSync(keyFilePath(other.layout.keys, next));
      expectFinding(await checkTrustKeys(other), 'warn', new RegExp(next.keyId));
      rmSync(keyFilePath(other.layout.keys, first));
      expectFinding(await checkTrustKeys(other), 'must', new RegExp(first.keyId));
    });

    it('checkNumbers: days that are left, none, and seeds that are not here', async () => {
      assert.deepEqual(await checkNumbers(well), []);
      const dir = folder();
      const { layout, ...rest } = await wellPatient(dir);
      await new TestCli(dir).json('lookup', 'announce', layout.path, 'numbers', '--prefix', 'DE-');
      const { state } = await readPublicRegion(layout.public, {}, trustModules);
      const patient = { ...rest, layout, state };
      expectFinding(await checkNumbers(patient), 'ok', /can be looked up until/);
      for (const [days, level] of [
        [75, 'warn'],
        [88, 'must'],
        [100, 'must'],
      ] as const)
        expectFinding(await checkNumbers({ ...patient, nowS: patient.nowS + days * DAY_S }), level, /until/);
      const seeds = readdirSync(layout.seeds).sort();
      rmSync(join(layout.seeds, seeds.at(-1) ?? ''));
      const serving = (lookup: object) => ({ ...patient, running: { lookup } as unknown as RunningStatus });
      const today = dayOf(patient.nowS);
      const table = { tables: [today], ageS: 30 };
      expectFinding((await checkNumbers(serving(table))).slice(1), 'ok', /is signed/);
      const old = { ...table, ageS: 181 };
      expectFinding((await checkNumbers(serving(old))).slice(1), 'warn', /181 s old/);
      const none = { tables: [today + 1] };
      expectFinding((await checkNumbers(serving(none))).slice(1), 'must', /no table of today/);
      expectFinding(await checkNumbers(patient), 'warn', /seeds of 1 announced/);
      rmSync(join(layout.seeds, seeds[0] ?? ''));
      expectFinding(await checkNumbers(patient), 'must', /seeds of 2 announced/);
    });

    it('checkSeparate refuses one key in two roles', () => {
      expectFinding(checkSeparate(well), 'ok');
      const { state } = well;
      assert.ok(state);
      const [shared] = state.keysWithRole('checkpoint');
      assert.ok(shared);
      const keysWithRole = () => [shared];
      const both = Object.create(state, { keysWithRole: { value: keysWithRole } }) as typeof state;
      expectFinding(checkSeparate({ ...well, state: both }), 'must', /two roles/);
    });

    it('checkOtherKeys: the seal is there or not, and root keys that lie here', async () => {
      expectFinding(await checkOtherKeys(well), 'note', /root key/);
      const other = await wellPatient(folder());
      const seal = (await keyNamesIn(other.layout.keys)).find(({ role }) => role === 'registry');
      assert.ok(seal);
      rmSync(keyFilePath(other.layout.keys, seal));
      expectFinding(await checkOtherKeys(other), 'must', /registry/);
    });
  });

  describe('peers', () => {
    it('checkReachable: connected, gone, unknown, another identity, not welcome, nobody', async () => {
      expectFinding(await checkReachable(well), 'ok', /FR is connected/);
      for (const [view, level, text] of [
        [gonePeer('FR', 'refused'), 'warn', /nothing listens/],
        [gonePeer('FR', 'silent'), 'warn', /no answer/],
        [gonePeer('FR', 'not-welcome'), 'warn', /does not let/],
        [gonePeer('FR', 'other-identity'), 'must', /another identity/],
        [gonePeer('FR', undefined, { addresses: [] }), 'warn', /no address/],
      ] as const) {
        expectFinding(await checkReachable(peers(view)), level, text);
      }
      expectFinding(await checkReachable(peers()), 'note', /no region/);
    });

    it('checkReachable reads what a peer publishes beside it', async () => {
      const config = { ...well.config, peers: { FR: { directory: 'public' } } };
      expectFinding(
        await checkReachable({ ...peers(gonePeer('FR', undefined)), config }),
        'note',
        /published|publishes/,
      );
      expectFinding(
        await checkReachable(runningOn({ ...peers(gonePeer('FR', 'refused')), config })),
        'warn',
        /nothing listens/,
      );
    });

    it('checkEnough ends with 4 where fewer can be asked than are needed', async () => {
      expectFinding(await checkEnough(well), 'ok');
      const findings = await checkEnough(
        peers(peerView('FR'), gonePeer('IT', 'silent'), gonePeer('JP', 'silent')),
      );
      expectFinding(findings, 'must', /1 of 3/);
      assert.equal(findings[0]?.exit, 4);
    });

    it('checkShutOut: who broke the protocol again and again, and how', () => {
      assert.deepEqual(checkShutOut(well), []);
      const conduct = [
        { peer: '12D3KooWA', isShutOut: false, counts: { dead: 1 } },
        { peer: '12D3KooWB', isShutOut: true, counts: { 'answer-too-large': 3, 'shut-out': 1 } },
      ];
      const findings = checkShutOut(runningOn(well, { conduct }));
      assert.equal(findings.length, 1);
      expectFinding(findings, 'warn', /12D3KooWB is shut out .*: answer-too-large 3, shut-out 1$/);
    });

    it('checkVouching: who hears us, and whom we hear', () => {
      expectFinding(checkVouching(runningOn(well)), 'ok');
      const of = (theirs: number | undefined, ours: number | undefined) => [
        { region: 'FR', vouchesForUsAtS: theirs, vouchedByUsAtS: ours },
      ];
      const at = well.nowS;
      expectFinding(
        checkVouching(runningOn(well, { vouching: of(at - 500, at) })),
        'warn',
        /does not hear us/,
      );
      expectFinding(checkVouching(runningOn(well, { vouching: of(undefined, at) })), 'warn', /never/);
      expectFinding(checkVouching(runningOn(well, { vouching: of(at, at - 500) })), 'warn', /do not hear it/);
      assert.deepEqual(checkVouching(well), []);
    });

    it('checkHttp: the right region, another network, and nobody', async () => {
      let answer = { home: 'FR', network: 'demo' };
      const server = createHttpServer((_, response) => response.end(JSON.stringify(answer)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      const named = (url: string) => ({ ...well, config: { ...well.config, peers: { FR: { http: url } } } });
      expectFinding(await checkHttp(named(`http://127.0.0.1:${port}`)), 'ok');
      answer = { home: 'FR', network: 'other' };
      expectFinding(await checkHttp(named(`http://127.0.0.1:${port}`)), 'must', /other/);
      server.close();
      expectFinding(await checkHttp(named('http://127.0.0.1:1')), 'warn', /does not answer/);
      assert.deepEqual(await checkHttp(well), []);
    });
  });

  describe('logs', () => {
    it('checkWriting: each state of a node that does not sign, with its exit code', () => {
      expectFinding(checkWriting(runningOn(well)), 'ok');
      expectFinding(checkWriting(runningOn(well, { writing: 'checking' })), 'note');
      for (const [writing, exit] of [
        ['alone', 4],
        ['behind', 5],
        ['contradicted', 5],
        ['astray', undefined],
        ['failed', undefined],
      ] as const) {
        const findings = checkWriting(runningOn(well, { writing }));
        expectFinding(findings, 'must', /does not sign/);
        assert.equal(findings[0]?.exit, exit);
      }
    });

    it('checkWriting: who writes where witnesses fence that, and whether one more of them may go', () => {
      const writer = { epoch: 2, writer: 'ab'.repeat(32), sinceS: 0, witnesses: 3, needed: 2 };
      const peersOf = (...regions: readonly string[]) =>
        regions.map((region) => ({ region, software: 's', address: 'a' }));
      const fenced = (...regions: readonly string[]) =>
        checkWriting(
          runningOn(well, { writer: { ...writer, isSelf: true }, peers: peersOf(...regions) }),
        ).slice(1);
      expectFinding(fenced('FR', 'IT', 'AT'), 'ok', /2 of 3 have to permit/);
      expectFinding(fenced('FR', 'IT'), 'note', /2 regions are connected/);
      const follows = { writing: 'standby', writer: { ...writer, isSelf: false } };
      expectFinding(checkWriting(runningOn(well, follows)), 'ok', /machine abababababababab writes since/);
      expectFinding(checkWriting(runningOn(well, { writing: 'standby' })), 'warn', /nobody who writes/);
    });

    it('checkShort: a log that lacks entries, of which alone nothing is signed', () => {
      assert.deepEqual(checkShort(runningOn(well)), []);
      const origin = 'DE.demo/attest/2026-11';
      const short = { behind: { [origin]: 3 }, sizes: { [origin]: 1 } };
      const text = /nothing of DE.demo\/attest\/2026-11, and all else: 3 entries were signed, and 1 are here/;
      expectFinding(checkShort(runningOn(well, short)), 'warn', text);
      assert.deepEqual(checkShort(runningOn(well, { ...short, writing: 'behind' })), []);
    });

    it('checkCosigning: a witness that knows more of an attestation log, or another one, and none that is only silent', () => {
      assert.deepEqual(checkCosigning(runningOn(well)), []);
      const log = { origin: 'DE.demo/attest/2026-11', size: 5, needed: 2, of: 3 };
      const told = (unwilling: Record<string, { why: string; size?: number }>) =>
        checkCosigning(runningOn(well, { cosigning: { logs: [{ ...log, unwilling }] } }));
      const text =
        /witness of FR says that it cosigned 7 entries of DE.demo\/attest\/2026-11, and 5 are here/;
      expectFinding(told({ FR: { why: 'ahead', size: 7 } }), 'warn', text);
      expectFinding(told({ IT: { why: 'unproven' } }), 'warn', /witness of IT does not take that/);
      assert.deepEqual(told({ FR: { why: 'silent' }, IT: { why: 'outrun', size: 6 } }), []);
    });

    it('T1: checkVouchable names what no witness vouches for, and the way out', () => {
      assert.deepEqual(checkVouchable(runningOn(well)), []);
      const findings = checkVouchable(runningOn(well, { falseStart: 7 }));
      expectFinding(findings, 'must', /STATE_MISMATCH.*statement at index 7/);
      assert.match(findings[0]?.fix ?? '', /entente key compromise .* --key ID --cut-off trust=now/);
    });

    it('checkNewest: an old copy shows by what a peer has seen with our signature', () => {
      expectFinding(checkNewest(well), 'ok', /FR, IT/);
      expectFinding(checkNewest(peers(gonePeer('FR', 'silent'))), 'note');
      const knowsMore = { origin: 'DE.demo/trust', size: 9, held: 4 };
      const findings = checkNewest(peers(peerView('FR', { knowsMore })));
      expectFinding(findings, 'must', /old copy/);
      assert.equal(findings[0]?.exit, 5);
    });

    it('checkForks tells the own log from that of another', () => {
      expectFinding(checkForks(runningOn(well)), 'ok');
      expectFinding(checkForks(runningOn(well, { forked: ['FR.demo/trust'] })), 'must', /call its people/);
      expectFinding(checkForks(runningOn(well, { forked: ['DE.demo/trust'] })), 'must', /every copy/);
    });

    it('A15: checkLeft and ownLines tell of a tree that a key has signed which was given up', () => {
      assert.deepEqual(checkLeft(runningOn(well)), []);
      const one = { origin: 'DE.demo/attest/2026-11', size: 1_030, keyIds: ['ab'.repeat(8)], isLarger: true };
      for (const [isLarger, tree] of [
        [true, 'a larger tree'],
        [false, 'another tree'],
      ] as const) {
        const patient = runningOn(well, { left: [{ ...one, isLarger }] });
        const said = new RegExp(
          `${tree} of DE.demo/attest/2026-11.*given up: 1,030 entries, key abababababababab`,
        );
        expectFinding(checkLeft(patient), 'note', said);
        assert.match(
          ownLines(patient.running ?? assert.fail()).join('\n'),
          new RegExp(`LEFT.*${said.source}`),
        );
      }
    });

    it('T3: checkForks suspends nobody for a proof by a key that its root has given up', () => {
      const disowned = ['FR.demo/trust'];
      expectFinding(checkForks(runningOn(well, { disowned })), 'note', /nothing has to be done/);
      const both = checkForks(runningOn(well, { disowned, forked: ['IT.demo/trust'] }));
      assert.deepEqual(
        both.map(({ level }) => level),
        ['must', 'note'],
      );
    });
  });

  describe('node', () => {
    it('checkNodeVersion takes what package.json takes', () => {
      const of = (node: string) => {
        const patient = runningOn(well);
        assert.ok(patient.running);
        return checkNodeVersion(runningOn(well, { process: { ...patient.running.process, node } }));
      };
      for (const version of ['v20.19.0', 'v22.12.0', 'v24.0.0', 'v26.1.0']) expectFinding(of(version), 'ok');
      for (const version of ['v18.20.0', 'v20.18.9', 'v22.11.0', 'v23.9.0'])
        expectFinding(of(version), 'must');
    });

    it('checkMemory says what may be used, and when that is nearly so', async () => {
      expectFinding(await checkMemory(well), 'ok');
      const patient = runningOn(well);
      assert.ok(patient.running);
      const process = { ...patient.running.process, residentBytes: 2 ** 50 };
      expectFinding(await checkMemory(runningOn(well, { process })), 'must', /killed/);
    });
  });

  describe('issuing workers', () => {
    const tables = new MemoryTables();
    const says = (worker: string, count: number) =>
      tables.write([{ put: workerName(worker), value: bytesOf(String(count)) }]);

    it('checkWorkers counts who says meanwhile that it is there, and apart who says nothing', async () => {
      const quiet = { wait: () => Promise.resolve() };
      assert.deepEqual(await checkWorkers(tables, quiet), []);
      await says('a', 7);
      await says('b', 3);
      const waited: number[] = [];
      const wait = async (ms: number) => {
        waited.push(ms);
        await says('a', 8);
        await says('c', 1);
      };
      const found = await checkWorkers(tables, { wait });
      assert.deepEqual(
        found.map(({ level, text }) => `${level} ${text}`),
        [
          'ok workers that say they are there: 2',
          'note workers that said nothing for 3 s, being busy or dead: 1 (a node that runs forgets the dead within 20 s)',
        ],
      );
      assert.deepEqual(waited, [3_000]);
      await tables.write([{ del: workerName('b') }, { del: workerName('c') }]);
      const alone = await checkWorkers(tables, { wait: () => says('a', 9) });
      assert.deepEqual(
        alone.map(({ level, text }) => `${level} ${text}`),
        ['ok workers that say they are there: 1'],
      );
    });

    it('ownLines tell how many there are, none too, where there can be any', () => {
      const linesOf = (more: Partial<RunningStatus>) => {
        const lines = ownLines(runningOn(well, more).running ?? assert.fail());
        return lines.filter((line) => line.startsWith('workers'));
      };
      assert.deepEqual(linesOf({}), []);
      assert.match(linesOf({ workers: 0 }).join(), /^workers +0$/);
      assert.match(linesOf({ workers: 12 }).join(), /^workers +12$/);
    });
  });

  it('T25 checkForgotten and ownLines tell what the other machine of the region is still to forget', () => {
    for (const more of [{}, { toForget: 0 }]) assert.deepEqual(checkForgotten(runningOn(well, more)), []);
    const patient = runningOn(well, { toForget: 3 });
    expectFinding(checkForgotten(patient), 'warn', /still keeps what opens forgotten codes: 3/);
    const lines = ownLines(patient.running ?? assert.fail());
    assert.ok(lines.some((line) => /^to forget +3 codes, on the other machine$/.test(line)));
  });

  it('examine tells of the configuration alone where that cannot be read', async () => {
    const error = configError('entente.yaml', ['line 1: broken']);
    const found = await examine({ ...well, config: undefined, configError: error });
    assert.deepEqual([...new Set(found.map(({ family }) => family))], ['configuration']);
  });

  it('quoted words are one word for a shell', () => {
    assert.equal(quoted('DE/keys'), 'DE/keys');
    assert.equal(quoted("a b'c"), String.raw`'a b'\''c'`);
  });
});
