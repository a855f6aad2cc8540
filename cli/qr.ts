/** A code as a picture. Base45 fits the alphanumeric mode of QR, so a code of 260 bytes needs version 13 at level M. */
import { deflateSync, crc32 } from 'node:zlib';
import encodeQR from 'qr';

/** Quiet zone around the symbol, in modules: what ISO/IEC 18004 asks for. */
const BORDER = 4;
/** Pixels per module: prints at 1.3 mm with 150 dpi. */
const SCALE = 8;

const OPTIONS = { ecc: 'medium', encoding: 'alphanumeric' } as const;

/**
 * Two modules to a character, dark on light whatever the colours of the terminal are if `colour`; without colours the
 * light modules are drawn, which reads right on a dark terminal and, inverted, on most scanners.
 */
export function qrLines(text: string, { colour }: { readonly colour: boolean }): string[] {
  const rows = encodeQR(text, 'raw', { ...OPTIONS, border: 2 });
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    const upper = rows[y] ?? [];
    const lower = rows[y + 1] ?? [];
    const line = upper.map((dark, x) => blockOf(dark, lower[x] ?? false, colour)).join('');
    lines.push(colour ? `\u001b[30;107m${line}\u001b[0m` : line);
  }
  return lines;
}

export function qrSvg(text: string): string {
  return encodeQR(text, 'svg', { ...OPTIONS, border: BORDER });
}

/** A greyscale PNG of one bit per pixel (ISO/IEC 15948). */
export function qrPng(text: string): Uint8Array {
  const rows = encodeQR(text, 'raw', { ...OPTIONS, border: BORDER });
  const width = rows.length * SCALE;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(width, 4);
  header[8] = 1; // bits per pixel; the colour type (0, greyscale) and the methods after it are 0
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(pixelsOf(rows, width))),
    pngChunk('IEND', new Uint8Array(0)),
  ]);
}

/** Scan lines, each a filter byte 0 and the pixels from the highest bit on; 1 is white. */
function pixelsOf(rows: readonly (readonly boolean[])[], width: number): Uint8Array {
  const stride = 1 + Math.ceil(width / 8);
  const pixels = new Uint8Array(stride * width);
  for (let y = 0; y < width; y++) {
    const row = rows[Math.floor(y / SCALE)] ?? [];
    for (let x = 0; x < width; x++) {
      if (row[Math.floor(x / SCALE)] === true) continue;
      const at = y * stride + 1 + (x >> 3);
      pixels[at] = (pixels[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  return pixels;
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), chunk.length - 4);
  return chunk;
}

function blockOf(upperDark: boolean, lowerDark: boolean, colour: boolean): string {
  const [upper, lower] = colour ? [upperDark, lowerDark] : [!upperDark, !lowerDark];
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}
