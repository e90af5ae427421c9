import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventLog } from './event-log.ts';
import { parseVariableData, predictPcr7, replay } from './pcr.ts';

const sha256 = (data: Uint8Array | string): Buffer => createHash('sha256').update(data).digest();

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** The first event of a crypto-agile log, which declares the algorithms. */
function header(algorithms: readonly (readonly [id: number, size: number])[]): Buffer {
  const body = Buffer.concat([
    Buffer.from('Spec ID Event03\0'),
    u32(0),
    Buffer.from([0, 2, 0, 2]),
    u32(algorithms.length),
    ...algorithms.flatMap(([id, size]) => [u16(id), u16(size)]),
    Buffer.from([0]),
  ]);
  return Buffer.concat([u32(0, 3), Buffer.alloc(20), u32(body.length), body]);
}

const usual = header([
  [0x0004, 20],
  [0x000b, 32],
]);

interface Given {
  readonly pcr: number;
  readonly type: number;
  readonly data: Buffer;
}

function event({ pcr, type, data }: Given): Buffer {
  return Buffer.concat([
    u32(pcr, type, 2),
    u16(4),
    createHash('sha1').update(data).digest(),
    u16(0x0b),
    sha256(data),
    u32(data.length),
    data,
  ]);
}

const events = fc.array(
  fc.record({
    pcr: fc.nat(23),
    type: fc.integer({ min: 1, max: 0xffffffff }),
    data: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  }),
  { minLength: 1, maxLength: 20 },
);

describe('parseEventLog', () => {
  it('reads every event of a crypto-agile log, with its SHA-256 digest', () => {
    fc.assert(
      fc.property(events, (given) => {
        const log = parseEventLog(Buffer.concat([usual, ...given.map((one) => event(one))]));
        expect(log.problem).toBeUndefined();
        expect(log.events).toEqual(given.map((one) => ({ ...one, sha256: sha256(one.data) })));
      }),
    );
  });

  it('reads a log of the older form, which has no SHA-256 digests', () => {
    const old = Buffer.concat([u32(7, 4), Buffer.alloc(20, 9), u32(4), Buffer.alloc(4)]);
    expect(parseEventLog(Buffer.concat([old, old]))).toEqual({
      problem: undefined,
      events: [7, 7].map((pcr) => ({ pcr, type: 4, sha256: undefined, data: Buffer.alloc(4) })),
    });
  });

  it.each([0, 0xff])('takes a rest filled with %i for the end', (filler) => {
    const { events: read, problem } = parseEventLog(
      Buffer.concat([usual, event({ pcr: 4, type: 4, data: Buffer.alloc(4) }), Buffer.alloc(500, filler)]),
    );
    expect(problem).toBeUndefined();
    expect(read).toHaveLength(1);
  });

  it('says where a log is cut short and keeps what comes before', () => {
    const first = event({ pcr: 7, type: 4, data: Buffer.alloc(4) });
    const log = Buffer.concat([usual, first, event({ pcr: 7, type: 5, data: Buffer.from('lost') })]);
    fc.assert(
      fc.property(fc.integer({ min: usual.length + first.length + 1, max: log.length - 1 }), (length) => {
        const cut = parseEventLog(log.subarray(0, length));
        expect(cut.events).toHaveLength(1);
        expect(cut.problem).toBe(`the log is cut short at byte ${usual.length + first.length}`);
      }),
    );
  });

  it('reads a digest whose algorithm only the header knows', () => {
    const log = Buffer.concat([
      header([
        [0x000b, 32],
        [0x7777, 3],
      ]),
      u32(7, 4, 2),
      u16(0x7777),
      Buffer.alloc(3),
      u16(0x0b),
      sha256('x'),
      u32(1),
      Buffer.from('x'),
    ]);
    expect(parseEventLog(log).events).toEqual([
      { pcr: 7, type: 4, sha256: sha256('x'), data: Buffer.from('x') },
    ]);
  });

  it('stops at a digest of an unknown algorithm, since nobody knows where it ends', () => {
    const log = Buffer.concat([usual, u32(7, 4, 1), u16(0x7777), Buffer.alloc(60)]);
    expect(parseEventLog(log)).toEqual({
      events: [],
      problem: `an event at byte ${usual.length} has a digest of the unknown algorithm 0x7777`,
    });
  });

  it.each([
    { what: 'a size of 4 GiB', change: (log: Buffer) => log.writeUInt32LE(0xffffffff, log.length - 8) },
    {
      what: 'a count of 4 billion digests',
      change: (log: Buffer) => log.writeUInt32LE(0xffffffff, usual.length + 8),
    },
    { what: 'a PCR that does not exist', change: (log: Buffer) => log.writeUInt32LE(99, usual.length) },
  ])('survives an event with $what', ({ change }) => {
    const log = Buffer.concat([usual, event({ pcr: 7, type: 4, data: Buffer.alloc(4) })]);
    change(log);
    const { events: read, problem } = parseEventLog(log);
    expect(read).toEqual([]);
    expect(problem).toEqual(expect.any(String));
  });

  it('refuses a header that gives a known algorithm another size', () => {
    expect(parseEventLog(header([[0x000b, 20]])).problem).toBe('the header of the log is cut short');
  });

  it('never throws, whatever the bytes', () => {
    const base = Buffer.concat([
      usual,
      event({ pcr: 7, type: 4, data: Buffer.from('some data') }),
      event({ pcr: 4, type: 4, data: Buffer.alloc(4) }),
    ]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const log = Buffer.from(base);
        for (const [at, value] of changes) log[at] = value;
        parseEventLog(log);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void parseEventLog(Buffer.from(bytes))),
    );
  });
});

/** A variable as firmware measures it. */
function variable(name: string, data: Buffer): Buffer {
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64LE(BigInt(name.length), 0);
  lengths.writeBigUInt64LE(BigInt(data.length), 8);
  return Buffer.concat([Buffer.alloc(16, 7), lengths, Buffer.from(name, 'utf16le'), data]);
}

const driverConfig = 0x80000001;
const measured = (
  pcr: number,
  type: number,
  data: Buffer,
): { pcr: number; type: number; data: Buffer; sha256: Buffer } => ({ pcr, type, data, sha256: sha256(data) });

describe('replay', () => {
  it('extends one PCR after another event, and leaves out those that only inform', () => {
    const log = [
      measured(7, driverConfig, Buffer.from('a')),
      measured(4, 4, Buffer.from('other')),
      measured(7, 3, Buffer.from('note')),
      measured(7, 4, Buffer.from('b')),
    ];
    const first = sha256(Buffer.concat([Buffer.alloc(32), sha256('a')]));
    expect(replay(log, 7)).toBe(sha256(Buffer.concat([first, sha256('b')])).toString('hex'));
  });

  it('knows nothing when an event has no SHA-256 digest', () => {
    expect(replay([{ pcr: 7, type: 4, data: Buffer.alloc(0), sha256: undefined }], 7)).toBeUndefined();
  });
});

describe('predictPcr7', () => {
  const log = [
    measured(7, driverConfig, variable('SecureBoot', Buffer.from([1]))),
    measured(7, driverConfig, variable('db', Buffer.from('keys'))),
    measured(7, 4, Buffer.alloc(4)),
  ];

  it('is the present value as long as no variable changed', () => {
    const variables = new Map([
      ['SecureBoot', Buffer.from([1])],
      ['db', Buffer.from('keys')],
    ]);
    expect(predictPcr7(log, variables)).toBe(replay(log, 7));
    expect(predictPcr7(log, new Map())).toBe(replay(log, 7));
  });

  it('is what a boot with the changed variable measures', () => {
    const next = [log[0], measured(7, driverConfig, variable('db', Buffer.from('more keys'))), log[2]].filter(
      (one) => one !== undefined,
    );
    expect(predictPcr7(log, new Map([['db', Buffer.from('more keys')]]))).toBe(replay(next, 7));
  });

  it('keeps a digest that firmware made in a way of its own', () => {
    const odd = [
      { pcr: 7, type: driverConfig, data: variable('db', Buffer.from('keys')), sha256: Buffer.alloc(32, 5) },
    ];
    expect(predictPcr7(odd, new Map([['db', Buffer.from('keys')]]))).toBe(replay(odd, 7));
  });
});

describe('parseVariableData', () => {
  it('finds name and data, and refuses lengths that do not fit', () => {
    const event = variable('db', Buffer.from('keys'));
    expect(parseVariableData(event)).toEqual({ name: 'db', data: Buffer.from('keys'), dataOffset: 36 });
    expect(parseVariableData(event.subarray(0, -1))).toBeUndefined();
    event.writeBigUInt64LE(0xffffffffffffffffn, 16);
    expect(parseVariableData(event)).toBeUndefined();
    expect(parseVariableData(Buffer.alloc(3))).toBeUndefined();
  });
});
