kiosk-language-name = English

kiosk-waiting-title = Put your card here
kiosk-waiting-text = Lay your My Number card on the reader to begin.
kiosk-waiting-number = Your individual number (My Number) is not read.
kiosk-waiting-no-card = No card with you?

kiosk-no_card-title = Please ask the school office
kiosk-no_card-text = You can be received without a card. Staff will check who you are with another document.

kiosk-reading-title = Reading your card
kiosk-reading-text = Please do not move the card.

kiosk-link-title = This card is new here
kiosk-link-text = Type the 8 digits from the paper that the school gave you.
kiosk-link-help = No paper? Press “Stop” and ask the school office.

kiosk-statement-title = This will be recorded
kiosk-statement-visit = Today, { $date } { $time }, I came to { $school }.
kiosk-statement-link = I register this card as mine at { $school }.
kiosk-statement-who = It stays in the records of { $school } and of the prefectural board of education.
kiosk-statement-what = That my card proved who I am is kept together with the card’s signature.
kiosk-statement-more = More about this
kiosk-statement-more-text = Your name and address are not sent to the prefecture. The card’s certificate and signature are sent locked with a key that only the prefecture’s verifier has. Your individual number is not used.
kiosk-statement-agree = Yes, record it
kiosk-statement-decline = No, stop

kiosk-pin-title = Your 4-digit PIN
kiosk-pin-text = The four digits you chose when you received the card.
kiosk-pin-phone = A My Number card on a phone needs its 4 digits first. Nothing is recorded yet.
kiosk-pin-tries = { $tries ->
    [one] You can try once more.
   *[other] You can try { $tries } times.
 }
kiosk-pin-tries-one = This is the last try.
kiosk-pin-forgot = Forgotten? Press “Stop” and ask the school office.
kiosk-pad-delete = Delete one
kiosk-pad-clear = Delete all
kiosk-pad-enter = Enter
kiosk-pad-filled = { $count } typed

kiosk-last_try-title = Only one try is left
kiosk-last_try-text = If it is wrong again, the PIN of this card is locked.
kiosk-last_try-cure = A locked PIN can be reset at the counter of your city or town hall.
kiosk-last_try-yes = Try once more
kiosk-last_try-no = Stop for today

kiosk-opening-title = Checking the PIN
kiosk-opening-text = Please do not move the phone.
kiosk-signing-title = Recording
kiosk-signing-text = Please do not move the card.
kiosk-signing-slow = It takes a little longer today. Please wait as it is.

kiosk-done-title = It is recorded
kiosk-done-number = Number { $number }
kiosk-done-confirmed = The prefectural board of education has received it.
kiosk-done-pending = The prefectural board of education will receive it when the line is up. You need not wait.
kiosk-done-receipt = If you want a receipt, take a photo of this picture.
kiosk-done-take = Please take your card

kiosk-take_card-title = Please take your card
kiosk-take_card-text = A card is still on the reader.
kiosk-take_card-again = Start again

kiosk-problem-back = Back to the start
kiosk-problem-code = Code to show to staff: { $code }

kiosk-warning-title = Are you still there?
kiosk-warning-text = Without an answer this goes back to the start soon. Nothing is recorded.
kiosk-warning-yes = Yes, go on

kiosk-cancel = Stop
kiosk-staff = If you need help, ask a teacher or the school office.
kiosk-step = Step { $step } of { $total }
kiosk-offline-page = The screen is getting ready. Please wait a moment.
