/** Names and figures as a list of two columns. */
import type { Figure } from "./figures.ts";

interface FigureListProps {
  readonly figures: readonly Figure[];
  readonly label: string;
  /** Whether two figures fit beside each other. */
  readonly isShort?: boolean;
}

export function FigureList({ figures, label, isShort = false }: FigureListProps) {
  return (
    <section aria-label={label}>
      <h3>{label}</h3>
      <dl class={isShort ? "pairs short" : "pairs"}>
        {figures.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
