"""What the demo says. `<asked>` stands for the quoted question."""

ENGLISH = """\
**This is AIHub's offline demo.** No model has read your message, and nothing has left this computer. \
You wrote:

> <asked>

A real model would answer that here, in this same place, word by word. Until one is connected, this text \
shows you around:

- answers stream in as they are written, and **Stop** keeps what has arrived so far;
- under every answer stand its tokens, its cost and the time it took;
- the *Usage* page adds all of it up by day, by model and by provider.

Connecting a provider takes one variable, set in the environment or in the `.env` file:

| Provider | Variable | What it holds |
|:--|:--|:--|
| Gemini | `GEMINI_API_KEY` | a key from Google AI Studio |
| OpenAI | `OPENAI_API_KEY` | a key from the OpenAI platform |
| Ollama, llama.cpp, vLLM | `LOCAL_BASE_URL` | the address of your own server |

For a model that runs on your own machine, the file could look like this:

```ini
# .env, next to Home.py
LOCAL_BASE_URL=http://127.0.0.1:11434/v1
```

Restart AIHub, pick the model above the message box, and ask again. The demo costs nothing: its tokens are \
estimated, its price is exactly zero, and it is counted separately from every real provider.
"""

RUSSIAN = """\
**Это автономное демо AIHub.** Ни одна модель не читала ваше сообщение, и с этого компьютера ничего \
не отправлено. Вы написали:

> <asked>

Настоящая модель ответила бы на это здесь же, слово за словом. Пока она не подключена, этот текст \
покажет, что к чему:

- ответ появляется по мере написания, а кнопка **«Остановить»** сохраняет то, что уже пришло;
- под каждым ответом указаны токены, стоимость и время;
- на странице *«Расход»* всё это складывается по дням, моделям и поставщикам.

Чтобы подключить поставщика, достаточно одной переменной — в окружении или в файле `.env`:

| Поставщик | Переменная | Что указать |
|:--|:--|:--|
| Gemini | `GEMINI_API_KEY` | ключ из Google AI Studio |
| OpenAI | `OPENAI_API_KEY` | ключ с платформы OpenAI |
| Ollama, llama.cpp, vLLM | `LOCAL_BASE_URL` | адрес своего сервера |

Для модели, которая работает на вашей машине, файл может выглядеть так:

```ini
# .env, рядом с Home.py
LOCAL_BASE_URL=http://127.0.0.1:11434/v1
```

Перезапустите AIHub, выберите модель над полем ввода и спросите ещё раз. Демо ничего не стоит: токены \
оценены приблизительно, цена — ровно ноль, и считается оно отдельно от настоящих поставщиков.
"""
