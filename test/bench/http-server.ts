/**
 * The server of the benchmark `http`, as a process of its own: the public interface over the verdict service of a node, in a
 * federation of 34 regions. Tells its port and the codes, then its memory and time whenever it is asked.
 */
import { parseConfig } from '../../node/config/config-file.ts';
import { PublicServer } from '../../node/http/public-server.ts';
import { type NodeStatus } from '../../node/core/node-status.ts';
import { silentLog } from '../../node/logging/log.ts';
import { SignatureThread } from '../../node/verdicts/signature-thread.ts';
import { VerdictService } from '../../node/verdicts/verdict-service.ts';
import { keyNamed, presentCode } from '../support/code-fixture.ts';
import { Federation, NOW_S } from '../support/snapshot-fixture.ts';
import { nativeModules, regionNames } from './federation.ts';

const [codes = '30000', ...settings] = process.argv.slice(2);

const modules = await nativeModules();
const federation = new Federation(...regionNames);
const home = regionNames[0] ?? '';
const { trust } = federation.apply(home, await federation.snapshot()).holdings;
const clock = { nowMs: () => NOW_S * 1_000, runMs: () => NOW_S * 1_000, wait: () => Promise.resolve() };
const { check: checkSignatures } = new SignatureThread({}, modules);
const service = new VerdictService({
  ...modules,
  checkSignatures,
  clock,
  trust: () => trust,
  lookup: { judge: () => Promise.reject(new TypeError('there are no numbers here')) },
  leafProof: () => Promise.resolve(undefined),
});
const config = parseConfig(
  'bench',
  `format: 1\nregion: ${home}\nnetwork: ${trust.network}\nname: bench\nhttp: {port: 0}\n`,
  { settings: settings.map((setting) => setting.split('=') as [string, string]) },
);
const server = new PublicServer(config, {
  node: {
    verify: (text, context) => service.verify(text, context),
    trust,
    status: { verdicts: service.counters } as NodeStatus,
    keeper: () => undefined,
    log: () => undefined,
    cosignedNote: () => undefined,
  },
  clock,
  sha256: modules.sha256,
  log: silentLog,
});
await server.start();

const statics: string[] = [];
const lives: string[] = [];
for (let index = 0; index < Number(codes); index++) {
  const device = keyNamed(`device ${index % 1_000}`);
  const issuer = regionNames[1 + (index % (regionNames.length - 1))] ?? '';
  const code = federation.issue(issuer, index, { fields: { holderKey: device.publicKey } });
  statics.push(code.text);
  lives.push(presentCode(code, device, NOW_S));
}
process.send?.({ port: Number(new URL(server.address).port), statics, lives });
process.on('message', () =>
  process.send?.({
    rssBytes: process.memoryUsage.rss(),
    cpuMicros: process.cpuUsage().user + process.cpuUsage().system,
  }),
);
