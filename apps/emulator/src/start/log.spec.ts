import { describe, expect, it } from 'vitest';
import { readableLine } from './log.ts';

const noon = new Date(2026, 0, 2, 12, 0, 0);

describe('a line of the log', () => {
  it('of our services is shown by time, service, level and message, with what else it says', () => {
    const line = JSON.stringify({
      MESSAGE: 'pool imported',
      PRIORITY: '4',
      SYSLOG_IDENTIFIER: 'incus-osd',
      INCUSOS_SERVICE: 'storage',
      POOL: 'data',
      DRIVES: 2,
    });
    expect(readableLine('storage', line, false, noon)).toBe(
      '12:00:00 storage      warn  pool imported pool=data drives=2',
    );
  });

  it('of any other program is shown as it is', () => {
    expect(readableLine('valkey', '{not json', false, noon)).toBe('12:00:00 valkey       info  {not json');
  });

  it('is coloured by its level on a terminal only', () => {
    const line = JSON.stringify({ MESSAGE: 'm', PRIORITY: '3' });
    expect(readableLine('x', line, true, noon)).toContain('\u001B[31m');
    expect(readableLine('x', line, false, noon)).not.toContain('\u001B');
  });
});
