import { describe, expect, it } from 'vitest';
import { describedMachine } from './described-machine.ts';
import { defaultMachine } from './machine-file.ts';

describe('a description of a machine', () => {
  it('takes what it leaves out from the default machine', () => {
    const machine = describedMachine('{"network":{"nics":[]}}');
    expect(machine.network.nics).toEqual([]);
    expect(machine.storage).toEqual(defaultMachine().storage);
  });

  it('may be what `machine show` prints', () => {
    const shown = JSON.stringify(defaultMachine());
    expect(describedMachine(shown)).toEqual(JSON.parse(shown));
  });

  it.each([
    ['{', 'it is not JSON'],
    ['[]', 'the description must be an object, not a list'],
    ['{"colour":"red"}', 'colour is not a known setting'],
    ['{"network":{"nics":5}}', 'network.nics must be a list, not a number'],
    ['{"network":{"cards":[]}}', 'network.cards is not a known setting'],
    ['{"network":{"nics":[5]}}', 'network.nics[0] must be an object, not a number'],
    ['{"network":{"nics":[{"name":7}]}}', 'network.nics[0].name must be a string, not a number'],
    ['{"system":{"os":{"release":202611120410}}}', 'system.os.release must be a string, not a number'],
    ['{"storage":null}', 'storage must be an object, not null'],
  ])('%s is refused with the place and the reason', (text, reason) => {
    expect(() => describedMachine(text)).toThrow(reason);
  });
});
