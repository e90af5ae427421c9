import { describe, expect, it } from 'vitest';
import { scenarios, scenariosNamed } from './index.ts';

describe('the scenarios by name', () => {
  it('are all without a name', () => {
    expect(scenariosNamed([])).toEqual(scenarios);
  });

  it('are one by its name, many by their group', () => {
    expect(scenariosNamed(['smoke/update']).map(({ name }) => name)).toEqual(['smoke/update']);
    expect(scenariosNamed(['smoke']).length).toBeGreaterThan(5);
  });

  it('are the quick part of a group', () => {
    const quick = scenariosNamed(['network/quick']);
    expect(quick.length).toBeGreaterThan(0);
    expect(quick.every(({ name, quick: is }) => name.startsWith('network/') && is === true)).toBe(true);
  });

  it('are refused when nothing has the name', () => {
    expect(() => scenariosNamed(['smoke/updat'])).toThrow('there is no scenario and no group smoke/updat');
  });

  it('have names of their own', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});
