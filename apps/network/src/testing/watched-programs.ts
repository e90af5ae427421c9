/** The programs of a machine, looked at and interfered with by a test. */
import { ProgramError, type Programs } from '@incusos/host';

export class WatchedPrograms {
  /** What was run, with its arguments, in order. */
  readonly ran: string[][] = [];
  private readonly broken = new Map<string, string>();

  /** The programs of a machine, watched. */
  around(programs: Programs): Programs {
    return {
      run: (argv, options) => {
        this.ran.push([...argv]);
        const said = this.broken.get(argv[0]);
        if (said !== undefined)
          throw new ProgramError('failed', argv[0], said, 1, `${argv[0]} failed with exit code 1: ${said}`);
        return programs.run(argv, options);
      },
      stream: (argv, options) => programs.stream(argv, options),
    };
  }

  /** Lets a program fail with these words until it is mended. */
  break(program: string, said: string): void {
    this.broken.set(program, said);
  }

  mend(program: string): void {
    this.broken.delete(program);
  }

  /** The arguments of each run of a program. */
  runsOf(program: string): string[][] {
    return this.ran.filter(([name]) => name === program).map(([, ...args]) => args);
  }

  forget(): void {
    this.ran.length = 0;
  }
}
