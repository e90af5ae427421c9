/** Lets the parts that know something new ask for it to be shown, without knowing who shows it. */
import { Injectable } from '@nestjs/common';

@Injectable()
export class Redraw {
  private listener: () => void = () => undefined;

  /** Soon, not at once: many may ask at the same time. */
  request(): void {
    this.listener();
  }

  /** Takes the place of the one before. */
  onRequest(listener: () => void): void {
    this.listener = listener;
  }
}
