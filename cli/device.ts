/** The holder's device as a file: its secret key and the code it was given. */
import { z } from 'zod';
import { modeOf, readFileIfPresent, writeFileAtomically } from '../node/region/files.ts';
import { hexBytes, hexOf } from '../protocol/bytes.ts';
import { codeText, decodeCodeText } from '../protocol/code/code-text.ts';
import { parseCodeBytes } from '../protocol/code/code.ts';
import { encodePresentation, presentationMessage, stepAt } from '../protocol/code/presentation.ts';
import { type NativeCrypto } from '../node/crypto/native.ts';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';

const DEVICE_BYTES_MAX = 16_384;

const deviceSchema = z.strictObject({
  format: z.literal(1),
  secretKey: z.string().regex(/^[0-9a-f]{64}$/),
  code: z.string(),
});

export interface Device {
  /** 32 bytes. */
  readonly secretKey: Uint8Array;
  /** The text of the code, which opens the holder field. */
  readonly code: string;
}

export async function writeDevice(path: string, { secretKey, code }: Device): Promise<void> {
  const text = JSON.stringify({ format: 1, secretKey: hexOf(secretKey), code }, undefined, 2);
  await writeFileAtomically(path, `${text}\n`, { mode: 0o600 });
}

/** @throws {CliError} if the file is absent, readable by others or none of a device. */
export async function readDevice(path: string): Promise<Device> {
  const bytes = await readFileIfPresent(path, DEVICE_BYTES_MAX);
  const mode = await modeOf(path);
  if (bytes === undefined || mode === undefined) {
    throw new CliError(EXIT.usage, 'DEVICE_MISSING', `there is no file ${path}`, {
      hint: 'Make one with `entente issue REGION --subject ... --device FILE`.',
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new CliError(
      EXIT.failure,
      'KEY_FILE_MODE',
      `${path} has mode 0${mode.toString(8)}: others may read its secret key`,
      {
        hint: `Run: chmod 600 ${printable(path)}`,
      },
    );
  }
  const parsed = deviceSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw new CliError(EXIT.failure, 'DEVICE_INVALID', `${path} is no file of a device`);
  return { secretKey: hexBytes(parsed.data.secretKey), code: parsed.data.code };
}

/** The text of the code shown live at `nowS`, answering `challenge` if there is one. */
export function present(crypto: NativeCrypto, device: Device, challenge: Uint8Array, nowS: number): string {
  const code = decodeCodeText(device.code);
  const { attestation } = parseCodeBytes(crypto.sha256, code);
  const claims = { step: stepAt(nowS), challenge };
  const message = presentationMessage(crypto.sha256, attestation.bytes, claims);
  const signature = crypto.signerOf(device.secretKey).sign(message);
  return codeText(encodePresentation({ code, ...claims, signature }));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
