/** The process's log: lines with their priority in front for the journal (sd-daemon(3)), else plain ones. */

export type Level = 'error' | 'warning' | 'info';

const priorities: Readonly<Record<Level, number>> = { error: 3, warning: 4, info: 6 };

export type Log = (level: Level, message: string) => void;

export const log: Log = (level, message) => {
  const text = message.replaceAll(/\s*\n\s*/gu, ' | ');
  const mark = process.env['JOURNAL_STREAM'] === undefined ? `${level}: ` : `<${priorities[level]}>`;
  process.stderr.write(`${mark}${text}\n`);
};
