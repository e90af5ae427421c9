import { describe, expect, it } from 'vitest';
import { journalLine } from './journal-line.ts';

describe('a line of the log', () => {
  const entry = (fields: object): string =>
    JSON.stringify({ __REALTIME_TIMESTAMP: '1795161612000000', PRIORITY: '6', ...fields });

  it('is what an entry of the journal says, without the number of the request', () => {
    expect(
      journalLine(entry({ MESSAGE: 'PUT /1.0 status=200 correlation_id=a-1', INCUSOS_SERVICE: 'gateway' })),
    ).toEqual({
      at: new Date(1_795_161_612_000),
      service: 'gateway',
      level: 'info',
      text: 'PUT /1.0 status=200',
    });
  });

  it('is read also where the message comes as bytes, as with control characters', () => {
    const MESSAGE = [...Buffer.from('\u001B[2Jé')];
    expect(journalLine(entry({ MESSAGE, SYSLOG_IDENTIFIER: 'incus-osd' }))).toMatchObject({
      service: 'incus-osd',
      text: '\u001B[2Jé',
    });
  });

  it('has the level of its priority', () => {
    const levels = ['0', '3', '4', '5', '7', undefined].map(
      (PRIORITY) => journalLine(entry({ MESSAGE: 'x', PRIORITY }))?.level,
    );
    expect(levels).toEqual(['error', 'error', 'warning', 'info', 'debug', 'info']);
  });

  it.each(['', '{', 'null', '[]', '{}', '{"MESSAGE":null}', '{"MESSAGE":7}', '"x"'])(
    'is not made of %s',
    (text) => {
      expect(journalLine(text)).toBeUndefined();
    },
  );
});
