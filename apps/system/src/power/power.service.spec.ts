import { describe, expect, it } from 'vitest';
import { forEachTest } from '../testing/system-appliance.ts';

const the = forEachTest();

describe('power', () => {
  it('answers before it reboots', async () => {
    await the.system.reboot({});
    expect(the.machine.read().system.power.state).toBe('on');
    await expect.poll(() => the.machine.read().system.power.state, { timeout: 20_000 }).toBe('rebooting');
  });

  it('switches off and suspends', async () => {
    await the.system.suspend({});
    await expect.poll(() => the.machine.read().system.power.state, { timeout: 20_000 }).toBe('suspended');
    await expect
      .poll(
        async () => {
          await the.system.powerOff({});
          return the.machine.read().system.power.state;
        },
        { timeout: 20_000 },
      )
      .toBe('powering-off');
  });
});
