/** When colours go by what was taken just now. */
import { quoted } from '../doctor/finding.ts';
import { counted } from '../output.ts';

/** `updateInS`: as a node told; undefined where none updates by itself. */
export function soonText({ updateInS }: { readonly updateInS?: number }, path: string): string {
  return updateInS === undefined
    ? `No colour changes by it before the next update: entente update ${quoted(path)}`
    : `The node updates colours by it in ${counted(updateInS, 'second')}, or once the update that goes on is over.`;
}
