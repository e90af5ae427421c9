/** Answers `incusos.console.v1.ConsoleService`. */
import {
  ConsoleServiceService,
  type ShowMessageRequest,
  type ShowMessageResponse,
} from '@incusos/contracts/console';
import { GrpcController, invalidField, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import type { Message } from '../screen/view.ts';
import { MessagesService } from './messages.service.ts';

const longestTitle = 60;
const longestText = 1_000;

@GrpcController(ConsoleServiceService)
export class MessagesController implements ServiceHandlers<typeof ConsoleServiceService> {
  constructor(@Inject(MessagesService) private readonly messages: MessagesService) {}

  async showMessage(requests: AsyncIterable<ShowMessageRequest>): Promise<ShowMessageResponse> {
    const open = this.messages.open();
    try {
      for await (const request of requests) open.show(checked(request));
      return {};
    } finally {
      open.close();
    }
  }
}

/** @throws DomainError INVALID_REQUEST naming the field. */
function checked({ title, text, progress }: ShowMessageRequest): Message {
  if (title === '') throw invalidField('title', 'a message on the console needs a title');
  if (title.length > longestTitle)
    throw invalidField('title', `the title is longer than ${longestTitle} characters`);
  if (text.length > longestText)
    throw invalidField('text', `the text is longer than ${longestText} characters`);
  if (progress === undefined) return { title, text };
  if (!(progress >= 0 && progress <= 100))
    throw invalidField('progress', 'progress is not between 0 and 100');
  return { title, text, progress };
}
