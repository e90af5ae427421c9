/** Power, firmware, TPM, and what is to be seen of a machine. */
import { copyFileSync } from 'node:fs';
import { UserError } from '../../../image/tools/sentence.ts';
import type { Machine } from '../machine.ts';
import type { ControlCommand } from './command.ts';
import { live } from './live.ts';

/** Goes on when QEMU has ended, which takes a moment after its signal. */
async function untilOff(machine: Machine): Promise<void> {
  while (machine.isRunning()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function ensureOn(machine: Machine): void {
  if (!machine.isRunning()) throw new UserError('the machine is off already');
}

const power: readonly ControlCommand[] = [
  {
    name: 'power cut',
    summary: 'takes the power away at once, as pulling the plug does',
    args: [],
    needsOwner: true,
    run: async (machine) => {
      ensureOn(machine);
      machine.cut();
      await untilOff(machine);
      return 'the machine is off';
    },
  },
  {
    name: 'power off',
    summary: 'presses the power button and waits until the machine is off',
    args: [],
    needsOwner: true,
    run: async (machine) => {
      ensureOn(machine);
      if (await machine.shutDown()) return 'the machine is off';
      throw new UserError('the machine does not react to its power button; power cut takes the power away');
    },
  },
  {
    name: 'power on',
    summary: 'switches the machine on',
    args: [],
    needsOwner: true,
    run: async (machine) => {
      if (machine.isRunning()) throw new UserError('the machine is on already');
      machine.startAgain();
      (await machine.control('ctl.qmp')).close();
      return 'the machine is on';
    },
  },
  {
    name: 'power reset',
    summary: 'presses the reset button',
    args: [],
    needsOwner: true,
    run: async (machine) => {
      if (!machine.isRunning()) throw new UserError('the machine is off');
      await live(machine, (qmp) => qmp.ask('system_reset'));
      return 'the machine is reset';
    },
  },
];

const security: readonly ControlCommand[] = [
  {
    name: 'secure-boot',
    summary: 'switches Secure Boot on or off; takes effect when the machine is switched on next',
    args: [{ name: '<state>', summary: 'on or off' }],
    run: (machine, [state = '']) => {
      if (state !== 'on' && state !== 'off') throw new UserError(`'${state}' is neither on nor off`);
      machine.describe({ ...machine.description, secure_boot: state === 'on' });
      return Promise.resolve(`Secure Boot is ${state} when the machine is switched on next`);
    },
  },
  {
    name: 'tpm',
    summary: 'clears the TPM, or takes it out; takes effect when the machine is switched on next',
    args: [{ name: '<change>', summary: 'clear, remove or insert' }],
    run: (machine, [change = '']) => {
      if (change !== 'clear' && change !== 'remove' && change !== 'insert')
        throw new UserError(`'${change}' is none of clear, remove and insert`);
      const { description } = machine;
      if (change === 'clear') machine.describe({ ...description, clear_tpm: true });
      else machine.describe({ ...description, tpm: change === 'insert' });
      const state = { clear: 'blank', remove: 'out', insert: 'in' }[change];
      return Promise.resolve(`the TPM is ${state} when the machine is switched on next`);
    },
  },
];

const views: readonly ControlCommand[] = [
  {
    name: 'show',
    summary: 'prints the description of the machine (JSON)',
    args: [],
    run: (machine) => {
      const shown = { power: machine.isRunning() ? 'on' : 'off', ...machine.description };
      return Promise.resolve(JSON.stringify(shown, undefined, 2));
    },
  },
  {
    name: 'screenshot',
    summary: 'takes a picture of the screen',
    args: [{ name: '<file>', summary: 'the PNG to write' }],
    needsOwner: true,
    run: async (machine, [file = '']) => {
      if (!machine.isRunning()) throw new UserError('the machine is off, and so is its screen');
      await live(machine, (qmp) => qmp.ask('screendump', { filename: '/vm/screen.png', format: 'png' }));
      copyFileSync(machine.path('screen.png'), file);
      return `the screen is in ${file}`;
    },
  },
  {
    name: 'serial',
    summary: 'shows what came over the serial port since the machine was switched on',
    args: [],
    options: [{ flags: '--follow', summary: 'goes on with what comes, until Ctrl-C' }],
    run: (machine) => Promise.resolve(machine.path('serial.log')),
  },
];

export const machineCommands: readonly ControlCommand[] = [...views, ...power, ...security];
