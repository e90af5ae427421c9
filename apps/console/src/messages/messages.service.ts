/** The messages that other services show for as long as they like. */
import { DomainError } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Redraw } from '../display/redraw.ts';
import type { Message } from '../screen/view.ts';

/** More of them nobody can read, each a second long. */
const most = 20;

@Injectable()
export class MessagesService {
  private shown: readonly { readonly message: Message | undefined }[] = [];

  constructor(@Inject(Redraw) private readonly redraw: Redraw) {}

  /** In the order in which they came. */
  get list(): readonly Message[] {
    return this.shown.flatMap(({ message }) => (message === undefined ? [] : [message]));
  }

  /**
   * A place for one message.
   * @throws DomainError CONFLICT when there are too many already.
   */
  open(): OpenMessage {
    if (this.shown.length >= most)
      throw new DomainError('CONFLICT', `the console already shows ${most} messages`);
    let place: { readonly message: Message | undefined } = { message: undefined };
    this.set([...this.shown, place]);
    return {
      show: (message) => {
        const next = { message };
        this.set(this.shown.map((other) => (other === place ? next : other)));
        place = next;
      },
      close: () => this.set(this.shown.filter((other) => other !== place)),
    };
  }

  private set(shown: MessagesService['shown']): void {
    this.shown = shown;
    this.redraw.request();
  }
}

/** A message that its caller may still change. */
export interface OpenMessage {
  show(message: Message): void;
  close(): void;
}
