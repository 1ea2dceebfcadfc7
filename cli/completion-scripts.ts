export type Shell = 'bash' | 'zsh' | 'fish';

/** What a shell passes of the line, and what it is told at the end: these words and no others, or its own files. */
export const endings = { words: ':words', files: ':files' } as const;

/**
 * What a shell is to source. The line is never evaluated: whoever presses Tab has run nothing yet. Bash gets what is to be put
 * in at the cursor, the others whole words with descriptions. A path may stand behind `--option=` and `file:`.
 */
export const completionScripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for trueup
_trueup() {
  local line kind
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) kind=$line ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <(trueup complete bash -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  if [[ $kind != ${endings.files} ]]; then compopt +o default 2>/dev/null; fi
}
complete -o default -F _trueup trueup
`,
  zsh: `#compdef trueup
_trueup() {
  local -a lines
  lines=("\${(@f)$(trueup complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  local kind=$lines[-1]
  lines[-1]=()
  if [[ $kind == ${endings.files} ]]; then
    compset -P '-*='
    compset -P 'file:'
    _files
  elif (( $#lines )); then
    _describe trueup lines
  fi
}
if [ "$funcstack[1]" = _trueup ]; then _trueup "$@"; else compdef _trueup trueup; fi
`,
  fish: `# fish completion for trueup
function __trueup_complete
  set -l before (commandline -opc)
  set -l last (commandline -ct)
  set -l lines (trueup complete fish -- $before[2..-1] "$last" 2>/dev/null)
  test (count $lines) -gt 0; or return
  set -l kind $lines[-1]
  set -e lines[-1]
  if test $kind = ${endings.files}
    set -l place (string match -r -- '^(?:-[^=]*=)?(?:file:)?' "$last")
    for file in (__fish_complete_path (string sub -s (math (string length -- "$place") + 1) -- "$last"))
      printf '%s%s\\n' "$place" $file
    end
  else
    printf '%s\\n' $lines
  end
end
complete -c trueup -e
complete -c trueup -f -a '(__trueup_complete)'
`,
};

/** The words of a line of a shell, without its first: unquoted, and the last one perhaps just begun. */
export function wordsOfLine(line: string): readonly string[] {
  const words = [...line.matchAll(/(?:\\.?|'[^']*'?|"(?:\\.|[^"\\])*"?|[^\s'"\\])+/gs)].map(([word]) =>
    word.replaceAll(
      /\\(.?)|'([^']*)'?|"((?:\\.|[^"\\])*)"?/gs,
      (_, escaped?: string, single?: string, double?: string) =>
        escaped ?? single ?? (double ?? '').replaceAll(/\\(["\\$`])/g, '$1'),
    ),
  );
  return [...words.slice(1), ...(/(?:^|[^\\])\s$/.test(line) ? [''] : [])];
}
