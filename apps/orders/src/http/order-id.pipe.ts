import { BadRequestException, type PipeTransform } from '@nestjs/common';
import { ORDER_ID } from '@pawl/contracts';

/** Lets only what can be an order's id into a route. */
export class OrderIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    if (ORDER_ID.test(id)) return id;
    throw new BadRequestException(
      'An order id is 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit.',
    );
  }
}
