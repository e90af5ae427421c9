/** Every example of the tutorial is a configuration that a machine with its cards takes. */
import { readFileSync } from 'node:fs';
import { bodies, validateBody } from '@incusos/contracts/dto';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { renderFiles } from '../render/render.ts';
import { timeoutOf } from './confirmation-timeout.ts';
import { normalizeConfig } from './normalize.ts';
import { resolveNames } from './resolve-names.ts';
import { validateConfig } from './validate.ts';

const tutorial = readFileSync(new URL('../../../../docs/tutorials/network.md', import.meta.url), 'utf8');
const examples = [...tutorial.matchAll(/```yaml\n([\s\S]*?)```/gu)].map(([, text = '']) => text);
const cards = [5, 6, 7].map((bus) => ({
  ...{ name: `enp${bus}s0`, otherNames: [], maxMtu: 9000 },
  mac: `10:66:6a:00:00:0${bus - 4}`,
}));

describe('an example of the tutorial', () => {
  it('is there for each step', () => {
    expect(examples).toHaveLength(3);
  });

  it.each(examples)('is taken as it is, and made into files (%#)', (text) => {
    const result = validateBody(bodies.networkConfig, parse(text));
    if (!result.valid) throw new Error(result.violations.map(({ text: problem }) => problem).join('; '));
    const { config } = result.message;
    if (config === undefined) throw new Error('there is no config');
    expect(timeoutOf(config)).toBe(300_000);
    const resolved = resolveNames(normalizeConfig(config), { cards, configured: undefined });
    expect([...validateConfig(resolved, 'strict')]).toEqual([]);
    expect(
      renderFiles(resolved, new Map(cards.map(({ mac, maxMtu }) => [mac, maxMtu]))).size,
    ).toBeGreaterThan(0);
  });
});
