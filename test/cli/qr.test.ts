import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import decodeQR from 'qr/decode.js';
import { qrLines, qrPng, qrSvg } from '../../cli/qr.ts';

const TEXT = `ENT1:${'0123456789ABC $%*+-./:'.repeat(15)}`;

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The picture that `dark` describes, enlarged, as a camera gives it. */
function pictureOf(
  width: number,
  height: number,
  dark: (x: number, y: number) => boolean,
  scale = 1,
): Picture {
  const data = new Uint8Array(width * height * scale * scale * 4).fill(255);
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      if (dark(Math.floor(x / scale), Math.floor(y / scale)))
        data.fill(0, (y * width * scale + x) * 4, (y * width * scale + x) * 4 + 3);
    }
  }
  return { width: width * scale, height: height * scale, data };
}

describe('qr', () => {
  it('qrLines draws a symbol that reads back, with and without colours', () => {
    for (const colour of [true, false]) {
      const lines = qrLines(TEXT, { colour }).map((line) => [...line.replaceAll(/\u001b\[[\d;]+m/g, '')]);
      const width = lines[0]?.length ?? 0;
      assert.ok(width <= 80, 'fits a terminal of 80 columns');
      const picture = pictureOf(
        width,
        2 * lines.length,
        (x, y) => {
          const block = lines[y >> 1]?.[x] ?? ' ';
          const inked = block === '█' || block === (y % 2 === 0 ? '▀' : '▄');
          return inked === colour;
        },
        4,
      );
      assert.equal(decodeQR(picture), TEXT);
    }
  });

  it('qrPng is a PNG of one bit per pixel that reads back', () => {
    const png = Buffer.from(qrPng(TEXT));
    assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
    assert.equal(png.subarray(12, 16).toString(), 'IHDR');
    const width = png.readUInt32BE(16);
    assert.equal(png.readUInt32BE(20), width);
    const dataBytes = png.readUInt32BE(33);
    const pixels = inflateSync(png.subarray(41, 41 + dataBytes));
    const stride = 1 + Math.ceil(width / 8);
    assert.equal(pixels.length, stride * width);
    const dark = (x: number, y: number): boolean =>
      ((pixels[y * stride + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) === 0;
    assert.equal(decodeQR(pictureOf(width, width, dark)), TEXT);
  });

  it('qrSvg is one SVG element', () => {
    assert.match(qrSvg(TEXT), /^<svg [^]*<\/svg>$/);
  });
});
