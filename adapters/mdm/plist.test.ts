// Property lists: what is written is read again, an independent reader agrees, and hostile input is refused.
import fc from 'fast-check';
import { build, parse } from 'plist';
import { describe, expect, test } from 'vitest';
import { recordedMessage } from '../../test/recorded-message.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { buildPlist, parsePlist, parsePlistDict, type PlistValue } from './plist.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?><plist version="1.0">';
const wrap = (inside: string): string => `${HEAD}${inside}</plist>`;

const text = fc
  .string({ unit: 'grapheme' })
  .filter((each) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(each));
const wholeSecond = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2099-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));
const bytes = fc.uint8Array({ maxLength: 64 }).map((each) => Buffer.from(each));
const { value } = fc.letrec<{ value: PlistValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((each) => !Object.is(each, -0) && (!Number.isInteger(each) || Number.isSafeInteger(each))),
    fc.boolean(),
    wholeSecond,
    bytes,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

describe('what is written is read again', () => {
  test('any value comes back as it was', () => {
    fc.assert(
      fc.property(value, (each) => {
        expect(parsePlist(buildPlist(each))).toEqual(each);
      }),
    );
  });

  test('NUL and half surrogate pairs are read as an unknown character', () => {
    expect(parsePlist(wrap('<string>a\0b&#0;c&#xD800;d</string>'))).toBe('a\ufffdb\ufffdc\ufffdd');
  });

  test('an independent reader reads the same', () => {
    const sample = {
      text: 'Ümlaut <&> "quoted" \u{1f512}',
      empty: '',
      number: -7,
      real: 1.5,
      yes: true,
      data: Buffer.from('secret'),
      when: new Date('2026-01-02T03:04:05Z'),
      list: [1, 'two', { three: [] }],
    };
    expect(parse(buildPlist(sample).toString())).toEqual({ ...sample, data: new Uint8Array(sample.data) });
    expect(parsePlist(build({ ...sample, data: new Uint8Array(sample.data) }))).toEqual(sample);
  });

  test('keys without a value are left out', () => {
    expect(parsePlist(buildPlist({ a: 1, b: undefined }))).toEqual({ a: 1 });
  });

  test.each(['\u0007', 'a\ud800', '\uffff'])('text that XML cannot hold is refused (%j)', (bad) => {
    expect(() => buildPlist({ bad })).toThrow(CataloguedError);
    expect(() => buildPlist({ [bad]: 1 })).toThrow(CataloguedError);
  });

  test.each([2 ** 53, -(2 ** 53), 1e21, 1.7e308, NaN, -Infinity])(
    'a number that would arrive as another is refused, however deep it is (%d)',
    (number) => {
      expect(() => buildPlist({ list: [{ number }] })).toThrow('request.invalid');
    },
  );

  test('the largest whole number that is exact is written as it is, and larger ones as bigint', () => {
    expect(buildPlist([2 ** 53 - 1, 2n ** 64n - 1n]).toString()).toMatch(
      /<integer>9007199254740991<\/integer>\s*<integer>18446744073709551615<\/integer>/,
    );
  });

  test('the error about a text does not repeat it', () => {
    let message = '';
    try {
      buildPlist({ password: 'hunter2\u0007' });
    } catch (error) {
      message = JSON.stringify([String(error), error]);
    }
    expect(message).toContain('request.invalid');
    expect(message).not.toContain('hunter2');
  });
});

describe('what other writers write is read', () => {
  test.each<[string, PlistValue]>([
    ['<string><![CDATA[<raw> & ]]]]><![CDATA[>]]></string>', '<raw> & ]]>'],
    ['<string>a&#65;&#x1F512;&quot;&apos;</string>', 'aA\u{1f512}"\''],
    ['<string>a<!-- hidden -->b</string>', 'ab'],
    ['<!-- before --><dict><!-- in --><key>k</key><array /></dict>', { k: [] }],
    ['<dict><key/><string/></dict>', { '': '' }],
    ['<integer> 0x1F </integer>', 31],
    ['<integer>9223372036854775807</integer>', 9223372036854775807n],
    ['<real>1</real>', 1],
    ['<data>\n\tYXBw\n\tbGU=\n\t</data>', Buffer.from('apple')],
    ['<string>a\r\nb</string>', 'a\nb'],
    ['<true></true>', true],
  ])('%s', (inside, expected) => {
    expect(parsePlist(wrap(inside))).toEqual(expected);
  });

  test('a byte order mark and a document type are passed over', () => {
    const typed =
      '\uFEFF<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://x/y.dtd"><plist version="1.0"><true/></plist>\n';
    expect(parsePlist(Buffer.from(typed))).toBe(true);
  });

  test('recorded messages read as an independent reader reads them', () => {
    const names = [
      'nanomdm/TokenUpdate.1',
      'zentral/profile_list',
      'zentral/device_information',
      'nanocmd/certlist',
    ];
    for (const name of names) {
      const recorded = recordedMessage(`${name}.plist`);
      const other = parse(recorded.toString()) as PlistValue;
      expect(buildPlist(parsePlistDict(recorded))).toEqual(buildPlist(other));
    }
  });
});

describe('what is no property list is refused', () => {
  test.each([
    ['nothing', ''],
    ['plain text', 'hello'],
    ['JSON', '{"a":1}'],
    ['a binary property list', 'bplist00\u0000'],
    ['an OpenStep property list', '{ a = 1; }'],
    ['HTML', '<html></html>'],
    ['two values', wrap('<true/><true/>')],
    ['no value', wrap('')],
    ['something behind it', `${wrap('<true/>')}<plist/>`],
    ['a truncated one', wrap('<dict><key>a</key><string>b</string></dict>').slice(0, -30)],
    ['a key without a value', wrap('<dict><key>a</key></dict>')],
    ['a value without a key', wrap('<dict><string>a</string></dict>')],
    ['a wrong closing tag', wrap('<string>a</integer>')],
    ['an unknown element', wrap('<script>a</script>')],
    ['an unknown entity', wrap('<string>&secret;</string>')],
    ['a bare ampersand', wrap('<string>a & b</string>')],
    ['an entity beyond Unicode', wrap('<string>&#x110000;</string>')],
    ['an integer that is none', wrap('<integer>1e3</integer>')],
    ['a real that is none', wrap('<real></real>')],
    ['data that is not base64', wrap('<data>!!!!</data>')],
    ['a date that is none', wrap('<date>yesterday</date>')],
    ['a prototype', wrap('<dict><key>__proto__</key><dict/></dict>')],
    ['declared entities', '<!DOCTYPE plist [<!ENTITY a "aaaa">]><plist><string>&a;</string></plist>'],
    [
      'an external entity',
      '<!DOCTYPE plist [<!ENTITY a SYSTEM "file:///etc/passwd">]><plist><true/></plist>',
    ],
    ['a deep nest', wrap(`${'<array>'.repeat(100_000)}`)],
    ['a deep whole nest', wrap(`${'<array>'.repeat(100)}${'</array>'.repeat(100)}`)],
  ])('%s', (_name, input) => {
    expect(() => parsePlist(Buffer.from(input))).toThrow('mdm.message_unreadable');
  });

  test('bytes that are not UTF-8', () => {
    const bad = Buffer.concat([
      Buffer.from(`${HEAD}<string>`),
      Buffer.from([0xff]),
      Buffer.from('</string></plist>'),
    ]);
    expect(() => parsePlist(bad)).toThrow('mdm.message_unreadable');
  });

  test('a root that is no dictionary, where a message is expected', () => {
    expect(() => parsePlistDict(wrap('<array/>'))).toThrow('mdm.message_unreadable');
  });

  test('garbage never leads to another error', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(200), (noise, at) => {
        const whole = buildPlist({ a: [1, 'x', Buffer.from('y')], b: { c: true } }).toString();
        const broken = whole.slice(0, at) + noise + whole.slice(at);
        try {
          parsePlist(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(CataloguedError);
        }
      }),
    );
  });
});
