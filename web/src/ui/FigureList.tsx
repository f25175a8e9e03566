/** Names and figures as a list of two columns. */

export type Figure = readonly [name: string, text: string];

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
      <dl class={isShort ? "short" : undefined}>
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
