/** What a person before the machine wants to know of it: whether it works, where it is, what runs on it. */
import { cut, pad, widthOf, wrap } from '../text/fit.ts';
import { printable } from '../text/printable.ts';
import { type Line, type Size, span, type Style } from './frame.ts';
import type { View } from './view.ts';

type FooterView = Pick<
  View,
  'ready' | 'missing' | 'interfaces' | 'machineId' | 'applications' | 'recoveryKeysRetrieved'
>;

const labelColumns = 15;
const unknown = 'not known yet';

/**
 * At most as many lines as `rows`, the first of which is a rule.
 * What is cut away when there is too little room is said to be there.
 */
export function footer(view: FooterView, { columns, rows }: Size): Line[] {
  const warning = view.recoveryKeysRetrieved === false ? keysWarning(columns) : [];
  const unwell = view.ready && view.missing.length > 0;
  const above = field('Status', [statusOf(view)], unwell ? 'warning' : 'plain', columns, 2);
  const below = [
    ...field('Machine', [printable(view.machineId) || unknown], 'plain', columns, 1),
    ...field('Applications', applicationsOf(view), 'plain', columns, 2),
    ...warning,
  ];
  const room = Math.max(1, rows - 1 - above.length - below.length);
  const network = field('Network', networkOf(view), 'plain', columns, room);
  return [[span('─'.repeat(columns), 'quiet')], ...above, ...network, ...below].slice(0, Math.max(0, rows));
}

function statusOf({ ready, missing }: FooterView): string {
  if (missing.length === 0) return ready ? 'ready' : 'starting ...';
  const names = missing.map(printable).join(', ');
  return ready ? `not answering: ${names}` : `starting ... waiting for ${names}`;
}

/** One item for each network device. */
function networkOf({ interfaces }: FooterView): string[] {
  if (interfaces === undefined) return [unknown];
  if (interfaces.length === 0) return ['not configured'];
  return interfaces.map(({ name, addresses, state }) =>
    addresses.length === 0
      ? `${printable(name)}: no address (${printable(state)})`
      : `${printable(name)}: ${addresses.map(printable).join(', ')}`,
  );
}

function applicationsOf({ applications }: FooterView): string[] {
  if (applications === undefined) return [unknown];
  if (applications.length === 0) return ['none installed'];
  return [applications.map(({ name, version }) => printable(`${name} ${version}`)).join(', ')];
}

/** Items below each other behind one label; those without room are counted. */
function field(label: string, items: readonly string[], style: Style, columns: number, rows: number): Line[] {
  const room = columns - labelColumns - 1;
  const all = items.flatMap((item) => wrap(item, room));
  const texts =
    all.length <= rows ? all : [...all.slice(0, rows - 1), ` ${more(all, rows, room)}`.trimStart()];
  return texts.map((text, index) => [
    span(pad(index === 0 ? ` ${label}` : '', labelColumns), 'label'),
    span(text, style),
  ]);
}

function more(all: readonly string[], rows: number, room: number): string {
  const left = `(+${all.length - rows} more lines)`;
  const last = all[rows - 1] ?? '';
  return `${cut(last, Math.max(0, room - widthOf(left) - 1))} ${left}`;
}

function keysWarning(columns: number): Line[] {
  const text = 'WARNING: retrieve the recovery keys: incus admin os system security show';
  return wrap(text, columns - 2).map((part) => [span(` ${part}`, 'warning')]);
}
