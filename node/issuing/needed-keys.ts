/** Which attest keys are needed although their windows are over. */
import { keyIdOfDraft } from '../../protocol/code/attestation-template.ts';
import { LogKeys } from '../log/log-keys.ts';
import { readStagedBatches } from '../log/staged-batch.ts';
import { type StoreReader } from '../store/reader.ts';

/** The ids of the keys with which the batches that are staged of these attestation logs have to be finished. Rejects as `readStagedBatches`. */
export async function neededAttestKeys(
  origins: Iterable<string>,
  store: StoreReader,
): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  for (const origin of origins)
    for (const { drafts } of await readStagedBatches(new LogKeys(origin), store))
      for (const draft of drafts) needed.add(keyIdOfDraft(draft));
  return needed;
}
