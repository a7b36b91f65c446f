import { PawlError } from '@pawl/core';

/** HTTP: 400. */
export class ExchangeIdInvalidError extends PawlError {
  constructor() {
    super(
      'exchange_id_invalid',
      'The id of an exchange is a UUIDv7 in lower case: it carries the time of its making.',
    );
  }
}

/** The time that the id carries is outside of the acceptance window: whatever was asked, nothing ran. HTTP: 410. */
export class ExchangeOutsideWindowError extends PawlError {
  constructor(where: 'ahead' | 'behind') {
    super(
      where === 'behind' ? 'exchange_id_expired' : 'exchange_id_ahead',
      where === 'behind'
        ? 'The time that this id carries has left the window in which ids are accepted; nothing was run. If the request is still wanted, and can not have been processed, it needs a new id.'
        : 'The time that this id carries lies too far ahead of our clock; nothing was run. Set your clock.',
    );
  }
}

/** The id was forgotten by DELETE. HTTP: 410. */
export class ExchangeForgottenError extends PawlError {
  constructor() {
    super(
      'exchange_forgotten',
      'This id was deleted: body and answer are gone, and nothing runs under it again.',
    );
  }
}

/** HTTP: 404. */
export class ExchangeNotFoundError extends PawlError {
  constructor() {
    super('exchange_not_found', 'Nothing was stored under this id: PUT the body first.');
  }
}

/** HTTP: 422. */
export class ExchangeBodyDiffersError extends PawlError {
  constructor() {
    super(
      'exchange_body_differs',
      'Another type or body was stored under this id: another request needs a new id.',
    );
  }
}

/** HTTP: 400. */
export class ExchangeBodyInvalidError extends PawlError {
  constructor(errors: readonly string[]) {
    super('exchange_body_invalid', 'The body can not be processed.', { errors });
  }
}

/** HTTP: 422. The request stays as it is: a process that knows the type may answer it. */
export class RequestTypeUnknownError extends PawlError {
  constructor(type: string) {
    super('request_type_unknown', 'Nobody here handles requests of this type.', { type });
  }
}

/** HTTP: 409 with Retry-After. */
export class ExchangeInProgressError extends PawlError {
  constructor() {
    super('request_in_progress', 'This request is being processed right now: repeat it in a moment.');
  }
}

/** All places for requests are taken; nothing was run. HTTP: 503 with Retry-After. */
export class ExchangeBusyError extends PawlError {
  constructor() {
    super('busy', 'Too many requests are being processed right now; nothing was run, repeat it in a moment.');
  }
}
