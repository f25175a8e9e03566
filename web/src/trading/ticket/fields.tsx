/** The controls of a ticket: choices by arrow keys, and numbers that arrow keys step. */
import { NO_LIVE } from "../words.ts";
import type { Field, Fields } from "./terms.ts";
import type { Ticket } from "./ticket.ts";

interface ChoiceProps {
  readonly ticket: Ticket;
  readonly field: Field;
  readonly title: string;
  /** The options with their names. */
  readonly names: Readonly<Record<string, string>>;
  /** Only LIVE is ever disabled. */
  readonly isLiveOff?: boolean;
}

const problemId = (field: Field): string => `ticket-${field}-problem`;

function Problem({ ticket, field }: { ticket: Ticket; field: Field }) {
  return (
    <small id={problemId(field)} class="problem">
      {ticket.problems[field]}
    </small>
  );
}

export function Choice({ ticket, field, title, names, isLiveOff = false }: ChoiceProps) {
  const isOff = (option: string) => isLiveOff && option === "upstox";
  const chosen = ticket.fields.value[field];
  return (
    <fieldset class="choice" aria-describedby={problemId(field)}>
      <legend>{title}</legend>
      {Object.entries(names).map(([option, name]) => (
        <label key={option} class={option} title={isOff(option) ? NO_LIVE : ""}>
          <input
            type="radio"
            name={`ticket-${field}`}
            checked={chosen === option}
            disabled={isOff(option)}
            onChange={() => ticket.change({ [field]: option } as Partial<Fields>)}
          />
          {name}
        </label>
      ))}
      <Problem ticket={ticket} field={field} />
    </fieldset>
  );
}

interface NumberFieldProps {
  readonly ticket: Ticket;
  readonly field: "lots" | "disclosed" | "price" | "trigger";
  readonly title: string;
  readonly isWhole: boolean;
}

export function NumberField({ ticket, field, title, isWhole }: NumberFieldProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    ticket.step(field, event.key === "ArrowUp" ? 1 : -1);
  };
  return (
    <label>
      {title}
      <input
        name={field}
        type="text"
        inputMode={isWhole ? "numeric" : "decimal"}
        autocomplete="off"
        maxLength={17}
        value={ticket.fields.value[field]}
        aria-invalid={ticket.problems[field] === undefined ? "false" : "true"}
        aria-describedby={problemId(field)}
        onInput={(event) => ticket.change({ [field]: event.currentTarget.value.trim() })}
        onKeyDown={onKeyDown}
      />
      <Problem ticket={ticket} field={field} />
    </label>
  );
}
