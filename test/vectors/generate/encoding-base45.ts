/** Base45 as cases for `encoding.json`. Spec: SPEC.md 2.2. */

export type Base45Vector =
  | { readonly name: string; readonly text: string; readonly bytes: string }
  | { readonly name: string; readonly text: string; readonly fault: 'BASE45_MALFORMED'; readonly offset: number };

export function base45Vectors(): Base45Vector[] {
  return [...goodCases(), ...badCases()];
}

function goodCases(): Base45Vector[] {
  const good = (name: string, text: string, bytes: string) => ({ name, text, bytes });
  return [
    good('nothing', '', ''),
    good('RFC 9285: AB', 'BB8', '4142'),
    good('RFC 9285: Hello!!', '%69 VD92EX0', '48656c6c6f2121'),
    good('RFC 9285: base-45', 'UJCLQE7W581', '626173652d3435'),
    good('RFC 9285: ietf!', 'QED8WEX0', '6965746621'),
    good('zero byte', '00', '00'),
    good('two zero bytes', '000', '0000'),
    good('255', 'U5', 'ff'),
    good('65535', 'FGW', 'ffff'),
    good('65535 and 255', 'FGWU5', 'ffffff'),
    good('two spaces are digits', '  0', '0678'),
    good('start of a COSE_Sign1', 'RRQM1', 'd28443'),
  ];
}

function badCases(): Base45Vector[] {
  const bad = (name: string, text: string, offset: number) => ({ name, text, fault: 'BASE45_MALFORMED' as const, offset });
  return [
    bad('one character', 'A', 0),
    bad('one space', ' ', 0),
    bad('four characters', 'BB8A', 3),
    bad('a space after it', 'BB8 ', 3),
    bad('a space before it', ' BB8', 3),
    bad('CR LF after it', 'BB8\r\n', 3),
    bad('LF within', 'B\nB', 1),
    bad('65536', 'GGW', 0),
    bad('91124', ':::', 0),
    bad('65536 behind a good group', 'BB8GGW', 3),
    bad('256', 'V5', 0),
    bad('2024', '::', 0),
    bad('256 behind a good group', 'BB8V5', 3),
    bad('lower case', 'bb8', 0),
    bad('lower case as last', 'BBb', 2),
    bad('exclamation mark', 'A!8', 1),
    bad('quotation mark', '00"', 2),
    bad('comma', ',00', 0),
    bad('DEL', '00\x7f', 2),
    bad('NUL', '\0' + '00', 0),
    bad('e with acute', '0000é', 4),
    bad('no-break space', '00\u00a0', 2),
    bad('full-width A', '\uff2100', 0),
    bad('right-to-left override', '00\u202e', 2),
    bad('outside the basic plane', '0\u{1f600}', 1),
  ];
}
