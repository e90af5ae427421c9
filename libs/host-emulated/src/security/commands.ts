import { randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';
import { writeSecureBootVariables } from './efi.ts';

/** What someone can do to the firmware and the TPM from outside. */
export const commands: readonly Command[] = [
  {
    name: 'secure-boot',
    summary: 'switches Secure Boot on or off, as in the firmware setup; takes effect at the next boot',
    args: [{ name: '<state>', summary: 'on or off' }],
    run: async (machine, [state]) => {
      if (state !== 'on' && state !== 'off') throw new Error(`'${state ?? ''}' is neither on nor off`);
      const keys = await machine.change(({ security }) => {
        security.secure_boot.enabled = state === 'on';
        return security.secure_boot;
      });
      if (machine.read().system.power.state === 'off') await writeSecureBootVariables(machine.files, keys);
      return `Secure Boot is ${state} from the next boot on`;
    },
  },
  {
    name: 'tpm',
    summary: 'clears the TPM, or takes it out; takes effect at the next boot',
    args: [{ name: '<change>', summary: 'clear, remove or insert' }],
    run: async (machine, [change]) => {
      if (change !== 'clear' && change !== 'remove' && change !== 'insert') {
        throw new Error(`'${change ?? ''}' is none of clear, remove and insert`);
      }
      await machine.change(({ security: { tpm } }) => {
        if (change === 'clear') tpm.seed = randomBytes(16).toString('hex');
        else tpm.kind = change === 'remove' ? 'none' : 'hardware';
      });
      return change === 'clear' ? 'the TPM is cleared' : `the TPM is ${change === 'remove' ? 'out' : 'in'}`;
    },
  },
];
